import msgspec
import pytest

from aftersend.aws.deployed_settings import DeployedNotifications, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.contract import NotificationSettings
from lambdas import check_identities
from tests.adapters.identities import (
    IDENTITY,
    REFUSED,
    SET_BY_HAND,
    UNTOUCHED,
    WANTED,
    FakeDeployedSettings,
    FakeSes,
    run,
)

pytestmark = pytest.mark.usefixtures("responses")


def check(
    deployed_settings: DeployedSettings, ses: FakeSes, *, restore: bool = False, has_time: bool = True
) -> dict[str, int]:
    """Check the settings of all identities; return the counts that are not 0."""
    report = check_identities.check(
        deployed_settings.all(),
        deployed_settings,
        IdentitySettings(ses, pause=lambda seconds: None),
        restore=restore,
        has_time=lambda: has_time,
    )
    return {name: count for name, count in msgspec.structs.asdict(report).items() if count}


def deploy(ses: FakeSes, wanted: NotificationSettings = WANTED) -> FakeDeployedSettings:
    deployed_settings = FakeDeployedSettings(ses)
    run(ses, "Create", wanted=wanted, deployed_settings=deployed_settings)
    return deployed_settings


@pytest.mark.parametrize("restore", [False, True])
def test_identity_is_set_once_it_is_verified(restore: bool):
    ses = FakeSes("another.example")
    deployed_settings = deploy(ses)
    assert check(deployed_settings, ses, restore=restore) == {"identities_waiting": 1}
    ses.verified.add(IDENTITY)
    assert check(deployed_settings, ses, restore=restore) == {"identities_set": 1}
    assert check(deployed_settings, ses, restore=restore) == {}
    assert ses.settings[IDENTITY] == WANTED


@pytest.mark.parametrize("drifted", [UNTOUCHED, SET_BY_HAND], ids=["dropped", "set by hand"])
@pytest.mark.parametrize("waited", [False, True], ids=["verified before", "verified later"])
def test_drift_is_reported_until_the_settings_are_back(drifted: NotificationSettings, waited: bool):
    ses = FakeSes("another.example") if waited else FakeSes()
    deployed_settings = deploy(ses)
    if waited:
        ses.verified.add(IDENTITY)
        check(deployed_settings, ses)
    ses.settings[IDENTITY] = drifted
    assert [check(deployed_settings, ses), check(deployed_settings, ses)] == [{"identities_drifted": 1}] * 2
    assert ses.settings[IDENTITY] == drifted, "without `restore` nothing is changed"
    ses.settings[IDENTITY] = WANTED
    assert check(deployed_settings, ses) == {}


def test_drift_is_restored_where_the_environment_asks_for_it():
    ses = FakeSes()
    deployed_settings = deploy(ses)
    ses.settings[IDENTITY] = UNTOUCHED
    assert check(deployed_settings, ses, restore=True) == {"identities_drifted": 1}
    assert ses.settings[IDENTITY] == WANTED
    assert check(deployed_settings, ses, restore=True) == {}


def test_order_of_headers_is_not_drift():
    wanted = msgspec.structs.replace(WANTED, headers=("Complaint", "Bounce"))
    ses = FakeSes()
    assert check(deploy(ses, wanted), ses) == {}


def test_identity_that_ses_rejects_does_not_stop_the_check_of_others():
    ses = FakeSes()
    deployed_settings = deploy(ses)
    ses.verified.add("other.example")
    ses.settings |= {IDENTITY: UNTOUCHED, "other.example": UNTOUCHED}
    deployed_settings.stored = {
        IDENTITY: DeployedNotifications(IDENTITY, NotificationSettings({"Bounce": REFUSED}), etag="1"),
        "other.example": DeployedNotifications("other.example", WANTED, etag="2"),
    }
    assert check(deployed_settings, ses) == {"identities_set": 2, "identities_failed": 1}
    assert ses.settings["other.example"] == WANTED


def test_identity_that_is_deployed_again_meanwhile_is_left_to_that_deployment():
    ses = FakeSes()
    deployed_settings = deploy(ses)
    ses.settings[IDENTITY] = UNTOUCHED
    new = DeployedNotifications(IDENTITY, SET_BY_HAND)
    deployed_settings.get = lambda identity: new  # as if it was deployed during the calls of SES
    assert check(deployed_settings, ses, restore=True) == {"identities_drifted": 1}
    assert ses.settings[IDENTITY] == UNTOUCHED


def test_identity_that_is_deployed_again_during_its_check_does_not_stop_the_check_of_others():
    ses = FakeSes("another.example")
    deployed_settings = deploy(ses)
    deployed = list(deployed_settings.all())
    run(ses, "Update", deployed_settings=deployed_settings)
    ses.verified.add(IDENTITY)
    identity_settings = IdentitySettings(ses, pause=lambda seconds: None)
    report = check_identities.check(deployed, deployed_settings, identity_settings, restore=True)
    assert report.identities_failed == 0
    assert ses.settings[IDENTITY] == UNTOUCHED


@pytest.mark.parametrize("fails", [False, True], ids=["set", "refused"])
def test_identity_that_was_verified_and_no_longer_is_is_reported(fails: bool):
    wanted = NotificationSettings({"Bounce": REFUSED}) if fails else WANTED
    ses = FakeSes("another.example")
    deployed_settings = deploy(ses, wanted)
    ses.verified.add(IDENTITY)
    check(deployed_settings, ses)
    ses.verified.remove(IDENTITY)
    assert check(deployed_settings, ses) == {"identities_unverified": 1}
    run(ses, "Update", wanted=wanted, deployed_settings=deployed_settings)
    assert check(deployed_settings, ses) == {"identities_unverified": 1}, "an update does not forget it"
    run(ses, "Delete", deployed_settings=deployed_settings)
    assert check(deployed_settings, ses) == {}
    run(ses, "Create", deployed_settings=deployed_settings)
    assert check(deployed_settings, ses) == {"identities_waiting": 1}, "a new identity is verified anew"


def test_check_without_time_left_reports_drift_and_leaves_it_to_the_next_hour():
    ses = FakeSes()
    deployed_settings = deploy(ses)
    ses.settings[IDENTITY] = UNTOUCHED
    assert check(deployed_settings, ses, restore=True, has_time=False) == {"identities_drifted": 1}
    assert ses.settings[IDENTITY] == UNTOUCHED
