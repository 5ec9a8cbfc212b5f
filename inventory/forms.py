"""Forms of the inventory's pages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django import forms

from inventory import intake, unpacking
from inventory.models import Area, Dataset, Flag, Remark
from portal.models import Cruise

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ReceiveForm(forms.Form):
    """Which of the directories in the delivery folders is to be received."""

    directory = forms.ChoiceField(help_text="directories in the delivery folders named in the settings")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["directory"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(path), path.name) for path in intake.allowed_roots()]


class AnnounceForm(forms.Form):
    """A manifest that comes ahead of its disk."""

    manifest = forms.FileField(help_text="as md5deep, hashdeep, md5sum and others make it; the disk follows later")


class UploadForm(forms.Form):
    """An archive that comes by browser."""

    archive = forms.FileField(
        label="Archive", help_text="tar, tar.gz, tar.bz2, tar.xz or zip, its manifest in its root"
    )
    checksum = forms.CharField(
        required=False, max_length=200, help_text="MD5 or SHA-256 of the archive, where you have one"
    )

    def clean_archive(self) -> Any:
        """An archive by its name."""
        sent = self.cleaned_data["archive"]
        if not unpacking.is_archive(Path(sent.name)):
            raise forms.ValidationError(f"{sent.name} is no archive by its name; {', '.join(unpacking.ENDINGS)} are.")
        return sent


class AreasForm(forms.Form):
    """Areas of a GeoJSON file, and whose they are."""

    file = forms.FileField(label="GeoJSON file", help_text="polygons in degrees, EPSG:4326")
    kind = forms.ChoiceField(label="They are", choices=Area.KINDS, initial="other")
    name_from = forms.CharField(
        label="Property with the name", required=False, max_length=60, help_text="where it is not name or title"
    )
    source = forms.CharField(max_length=300, help_text="who made them: title, version, DOI")
    licence = forms.CharField(max_length=120, help_text="under which they may be used, as CC-BY-4.0")


class FlagForm(forms.Form):
    """A file that is missing or wrong."""

    path = forms.CharField(label="File or directory", max_length=500, help_text="as far as you know its name")
    kind = forms.ChoiceField(label="It", choices=Flag.KINDS, widget=forms.RadioSelect, initial="missing")
    comment = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text="what should be there")


class AnswerForm(forms.Form):
    """The data manager's answer."""

    answer = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}))


class HoldForm(forms.Form):
    """A proprietary hold."""

    until = forms.DateField(label="Until", widget=DAY, help_text="on this day the data are free")
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), help_text="shown to everybody who asks")

    def __init__(self, *args: Any, latest: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].help_text += f"; at the latest {latest}"


class RecoveryForm(forms.Form):
    """Which files are asked back from deep storage, and why."""

    dataset = forms.ModelChoiceField(
        Dataset.objects.none(), label="Data set", required=False, empty_label="all files, or those of a directory"
    )
    under = forms.CharField(label="Directory", required=False, max_length=4000, help_text="instead of a data set")
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), help_text="the office decides by it")

    def __init__(self, *args: Any, cruise: Cruise, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["dataset"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = cruise.datasets.standing()


class RemarkForm(forms.Form):
    """What somebody says of a section of the record."""

    section = forms.ChoiceField(choices=Remark.SECTIONS, widget=forms.HiddenInput)
    verdict = forms.ChoiceField(
        choices=[("right", "Looks right"), ("wrong", "Something is wrong")], widget=forms.RadioSelect
    )
    text = forms.CharField(label="Comment", required=False, widget=forms.Textarea(attrs={"rows": 2}))
