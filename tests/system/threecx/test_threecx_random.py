"""Calls played at random: any order, told twice, the log between, Redis lost; each becomes one right record."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from threecx_rig import world

from sandbox.server import serve
from sandbox.threecx import ThreeCxV20

NOW = datetime.now(UTC).replace(microsecond=0)
OWNERS = {"102": "user-berger", "105": "user-meier"}
TYPES = {("inbound", True): "Inbound", ("inbound", False): "Missed"}
TYPES |= {("outbound", True): "Outbound", ("outbound", False): "Notanswered"}
Told = list[tuple[str, dict]]


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class Played:
    """One call: everything that is said about it, its row of the log, and the record it should become."""

    def __init__(self, dice: random.Random, number: int, start: datetime) -> None:
        self.who, agent = dice.choice(["+495111234567", "+495117654321", "anonymous"]), dice.choice(["102", "105"])
        self.way, self.talk = dice.choice(["inbound"] * 4 + ["outbound"]), dice.randint(5, 40)
        self.answered = dice.random() < 0.7
        self.id, self.start, self.end = f"k{number}", start, start + timedelta(seconds=5 + self.talk)
        self.agent = self.owner = agent
        if self.answered and dice.random() < 0.3:
            self.owner = "105" if agent == "102" else "102"
        self.reported = start + timedelta(seconds=dice.randint(0, 3))

    def told(self) -> Told:
        """Say everything once."""
        sides = {"caller": self.who, "callee": "+4951198760"} if self.way == "inbound" else {}
        sides = sides or {"caller": self.agent, "callee": self.who}
        common = {"call_id": self.id, "direction": self.way, "extension": self.agent, **sides}
        told = [("event", {"event": "call.started", "timestamp": iso(self.start), **common})]
        if self.owner != self.agent:
            moved = {"timestamp": iso(self.start + timedelta(seconds=6)), "transferred_to": self.owner}
            told.append(("event", {"event": "call.transferred", **moved, **common}))
        length = {"duration_s": self.talk} if self.answered else {}
        ended = {"event": "call.ended", "timestamp": iso(self.end), "answered": self.answered, **length}
        report = {"call_type": TYPES[self.way, self.answered], "number": self.who.replace("+", "00")}
        report |= {"agent": self.agent, "duration": f"00:00:{self.talk if self.answered else 0:02}"}
        times = {"started_at": iso(self.reported), "ended_at": iso(self.end)}
        return [*told, ("event", ended | common), ("report", report | times)]

    def row(self) -> dict:
        """Write it as the log of the phone system does."""
        side, other = ("Source", "Destination") if self.way == "inbound" else ("Destination", "Source")
        talk = f"PT{self.talk}S" if self.answered else "PT0S"
        row = {"MainCallHistoryId": self.id, "StartTime": iso(self.start + timedelta(seconds=1)), "Direction": self.way}
        row |= {"Answered": self.answered, "RingingDuration": "PT4S", "TalkingDuration": talk}
        return row | {f"{side}Dn": "10000", f"{side}CallerId": self.who, f"{other}Dn": self.owner}

    def record(self) -> tuple[str, ...]:
        """Say what should stand in EspoCRM."""
        times = [each.strftime("%Y-%m-%d %H:%M:%S") for each in (self.start, self.end)]
        return (*times, "Held" if self.answered else "Not Held", self.way.capitalize(), OWNERS[self.owner])


def say(rig, dice: random.Random, told: Told) -> None:
    for kind, body in told:
        assert (rig.event(**body) if kind == "event" else rig.report(**body)).status_code == 200
        if dice.random() < 0.4:
            rig.work()
    rig.work()


@pytest.mark.parametrize("seed", [*range(8), 31, 40, 51, 66])
def test_calls_at_random_become_one_right_record_each(phone_redis, monkeypatch, seed):
    dice, pbx = random.Random(seed), ThreeCxV20()
    begins = [NOW - timedelta(minutes=50)]
    begins += [begins[0] + timedelta(seconds=each) for each in sorted(dice.sample(range(1, 13), dice.randint(1, 4)))]
    calls = [Played(dice, n, begins[0] + (each - begins[0]) * 180) for n, each in enumerate(begins)]
    with serve(pbx) as server, world(monkeypatch, phone_redis, **pbx.env(server.url)) as rig:
        once = [each for call in calls for each in call.told()]
        told = once + dice.sample(once, len(once) // 2)
        dice.shuffle(told)
        say(rig, dice, told)
        match dice.choice(["nothing", "all", "events"]):
            case "all":
                rig.redis.flushall()
            case "events":
                rig.redis.delete(*rig.redis.keys("threecx:call:*"), *rig.redis.keys("threecx:near:*"))
        pbx.log = [call.row() for call in calls if dice.random() < 0.5]
        say(rig, dice, dice.sample(once, dice.randint(0, len(once))))
        for _ in range(2):
            assert rig.http.post("/threecx/reconcile").status_code == 200
            rig.work()
        fields = ("dateStart", "dateEnd", "status", "direction", "assignedUserId")
        found = [tuple(call[name] for name in fields) for call in rig.journalled()]
        assert sorted(found) == sorted(call.record() for call in calls)
