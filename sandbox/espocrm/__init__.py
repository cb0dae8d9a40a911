"""A double of EspoCRM over HTTP: records, searches, logins, and webhooks sent by its own rules."""

from sandbox.espocrm.answers import PERSON, User
from sandbox.espocrm.double import Clock, EspoCrm
from sandbox.espocrm.sender import Delivery, signed

__all__ = ["PERSON", "Clock", "Delivery", "EspoCrm", "User", "signed"]
