"""The log asked the way ERDDAP's tabledap is asked, so that its clients and its people feel at home."""
