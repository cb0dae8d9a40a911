"""The entity types there are: their attributes, what they need, what makes two of them duplicates."""

from dataclasses import dataclass, field

SYSTEM = (
    "id",
    "deleted",
    "createdAt",
    "modifiedAt",
    "createdById",
    "createdByName",
    "modifiedById",
    "modifiedByName",
    "versionNumber",
    "streamUpdatedAt",
)
COMMON = "name description assignedUserId assignedUserName teamsIds"
CONTACTABLE = "emailAddress emailAddressData phoneNumber phoneNumberData"
ADDRESS = "addressStreet addressCity addressState addressCountry addressPostalCode"
HUMAN = f"{COMMON} {CONTACTABLE} {ADDRESS} salutationName firstName lastName middleName doNotCall"
PLANNED = f"{COMMON} status dateStart dateEnd parentType parentId parentName usersIds contactsIds leadsIds accountId"
LEAD_STATUS = ("New", "Assigned", "In Process", "Converted", "Recycled", "Dead")
LEAD_SOURCE = (
    "",
    "Call",
    "Email",
    "Existing Customer",
    "Partner",
    "Public Relations",
    "Web Site",
    "Campaign",
    "Other",
)


@dataclass(frozen=True)
class Entity:
    """One entity type."""

    attributes: str
    required: tuple[str, ...] = ()
    defaults: dict[str, object] = field(default_factory=dict)
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    duplicates: bool = False
    counted: bool = False  # optimistic locking

    @property
    def is_person(self) -> bool:
        """Tell whether its name is made of first and last name."""
        return "lastName" in self.attributes

    def knows(self, attribute: str) -> bool:
        """Tell whether an attribute can be stored, searched and sorted."""
        derived = (*SYSTEM, "phoneNumberNumeric", "modifiedById", "createdById")
        return attribute in self.attributes.split() or attribute in derived


def entities() -> dict[str, Entity]:
    """List the types of a fresh installation, and the firm's own ones with their prefix."""
    call_status = ("Planned", "Held", "Not Held")
    return {
        "Lead": Entity(
            f"{HUMAN} title accountName status source industry opportunityAmount website campaignId convertedAt "
            "createdContactId createdAccountId cQuelleDetail",
            defaults={"status": "New", "doNotCall": False},
            enums={"status": LEAD_STATUS, "source": LEAD_SOURCE},
            duplicates=True,
        ),
        "Contact": Entity(
            f"{HUMAN} accountId accountName accountsIds accountRole title campaignId originalLeadId cBeteiligteId",
            ("lastName",),
            {"doNotCall": False},
            duplicates=True,
        ),
        "Account": Entity(
            f"{COMMON} {CONTACTABLE} website type industry sicCode billingAddressStreet billingAddressCity "
            "billingAddressState billingAddressCountry billingAddressPostalCode",
            ("name",),
            duplicates=True,
            counted=True,
        ),
        "Call": Entity(
            f"{PLANNED} direction duration reminders cCallUuid",
            ("name", "dateStart", "dateEnd", "assignedUser"),
            {"status": "Planned", "direction": "Outbound"},
            {"status": call_status, "direction": ("Outbound", "Inbound")},
        ),
        "Meeting": Entity(
            f"{PLANNED} dateStartDate dateEndDate isAllDay duration joinUrl uid",
            ("name", "dateStart", "assignedUser"),
            {"status": "Planned"},
            {"status": call_status},
        ),
        "Task": Entity(
            f"{PLANNED} priority dateStartDate dateEndDate dateCompleted attachmentsIds",
            ("name", "assignedUser"),
            {"status": "Not Started", "priority": "Normal"},
            {
                "status": ("Not Started", "Started", "Completed", "Canceled", "Deferred"),
                "priority": ("Low", "Normal", "High", "Urgent"),
            },
            counted=True,
        ),
        "Document": Entity(f"{COMMON} fileId publishDate status type folderId", ("name", "file", "publishDate")),
        "Attachment": Entity(f"{COMMON} type role relatedType parentType field file size", ("name",)),
        "Note": Entity(f"{COMMON} type post data parentType parentId number"),
        "TargetList": Entity(f"{COMMON} entryCount", ("name",)),
        "User": Entity(f"{HUMAN} userName type isActive"),
        "CBeteiligte": Entity(f"{HUMAN} betnr rechtsform titel geburtsdatum contactId contactName accountId"),
        "CVmhErstgespraech": Entity(
            f"{PLANNED} isAllDay duration",
            ("name", "dateStart", "assignedUser"),
            {"status": "Planned"},
        ),
    }
