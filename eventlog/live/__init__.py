"""What open screens live on: the changes of a log in their order, who else is there, and the whole at a glance."""
