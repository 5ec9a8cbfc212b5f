"""The demonstration's accounts. Production refuses to start where one of them still opens."""

from __future__ import annotations

from dataclasses import dataclass

from portal.lifecycle import Role

PASSWORD = "leadline-demo"  # noqa: S105  printed by every demonstration start, refused by production
DOMAIN = "leadline.example"


@dataclass(frozen=True, slots=True)
class Account:
    """A demonstration account and what it is for."""

    name: str
    given_name: str
    family_name: str
    role: Role
    says: str

    @property
    def email(self) -> str:
        """The address that signs in."""
        return f"{self.name}@{DOMAIN}"


ACCOUNTS = (
    Account("admin", "Ada", "Larsen", Role.ADMINISTRATOR, "administrator"),
    Account("manager", "Mateo", "Okafor", Role.DATA_MANAGER, "data manager"),
    Account("operator", "Ingrid", "Solheim", Role.OPERATOR, "operator of R/V Fathom"),
    Account("chief", "Noor", "Rahman", Role.CHIEF_SCIENTIST, "chief scientist of the demonstration cruises"),
    Account("watch", "Sam", "Keane", Role.SCIENCE_STAFF, "science staff, may log events"),
    Account("expert", "Lena", "Fuchs", Role.QC_EXPERT, "QC expert"),
)
