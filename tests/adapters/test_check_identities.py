import msgspec
import pytest

from aftersend.aws.deployed_settings import DeployedNotifications, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.contract import NotificationSettings, Variable
from lambdas import check_identities
from tests.adapters.identities import IDENTITY, SET_BY_HAND, UNTOUCHED, WANTED, FakeDeployedSettings, FakeSes, run

pytestmark = pytest.mark.usefixtures("responses")


def check(deployed_settings: DeployedSettings, ses: FakeSes, *, restore: bool = False) -> tuple[int, int, int, int]:
    """Check all identities; return how many wait, were set, have drifted and failed."""
    identity_settings = IdentitySettings(ses, pause=lambda seconds: None)
    return msgspec.structs.astuple(check_identities.check(deployed_settings, identity_settings, restore=restore))


def deploy(ses: FakeSes, wanted: NotificationSettings = WANTED) -> FakeDeployedSettings:
    deployed_settings = FakeDeployedSettings(ses)
    run(ses, "Create", wanted=wanted, deployed_settings=deployed_settings)
    return deployed_settings


@pytest.mark.parametrize("restore", [False, True])
def test_identity_is_set_once_it_is_verified(restore: bool):
    ses = FakeSes("another.example")
    deployed_settings = deploy(ses)
    assert check(deployed_settings, ses, restore=restore) == (1, 0, 0, 0)
    ses.verified.add(IDENTITY)
    assert check(deployed_settings, ses, restore=restore) == (0, 1, 0, 0)
    assert check(deployed_settings, ses, restore=restore) == (0, 0, 0, 0)
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
    assert [check(deployed_settings, ses), check(deployed_settings, ses)] == [(0, 0, 1, 0)] * 2
    assert ses.settings[IDENTITY] == drifted, "without `restore` nothing is changed"
    ses.settings[IDENTITY] = WANTED
    assert check(deployed_settings, ses) == (0, 0, 0, 0)


def test_drift_is_restored_where_the_environment_asks_for_it():
    ses = FakeSes()
    deployed_settings = deploy(ses)
    ses.settings[IDENTITY] = UNTOUCHED
    assert check(deployed_settings, ses, restore=True) == (0, 0, 1, 0)
    assert ses.settings[IDENTITY] == WANTED
    assert check(deployed_settings, ses, restore=True) == (0, 0, 0, 0)


def test_order_of_headers_is_not_drift():
    wanted = msgspec.structs.replace(WANTED, headers=("Complaint", "Bounce"))
    ses = FakeSes()
    assert check(deploy(ses, wanted), ses) == (0, 0, 0, 0)


def test_identity_that_ses_rejects_does_not_stop_the_check_of_others():
    ses = FakeSes()
    deployed_settings = deploy(ses)
    ses.verified.add("other.example")
    ses.settings |= {IDENTITY: UNTOUCHED, "other.example": UNTOUCHED}
    deployed_settings.stored = {
        IDENTITY: DeployedNotifications(IDENTITY, NotificationSettings({"Bounce": "refused"})),
        "other.example": DeployedNotifications("other.example", WANTED),
    }
    assert check(deployed_settings, ses) == (0, 2, 0, 1)
    assert ses.settings["other.example"] == WANTED


def test_identity_that_is_deployed_again_meanwhile_is_left_to_that_deployment():
    ses = FakeSes()
    deployed_settings = deploy(ses)
    ses.settings[IDENTITY] = UNTOUCHED
    new = DeployedNotifications(IDENTITY, SET_BY_HAND)
    deployed_settings.get = lambda identity: new  # as if it was deployed during the calls of SES
    assert check(deployed_settings, ses, restore=True) == (0, 0, 1, 0)
    assert ses.settings[IDENTITY] == UNTOUCHED


def test_check_emits_its_counts_as_metrics(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(Variable.ENVIRONMENT, "test")
    monkeypatch.setenv(Variable.RESTORE_DRIFT, "false")
    ses, documents = FakeSes(), []
    counts = check_identities.handler(
        deployed_settings=deploy(ses),
        identity_settings=IdentitySettings(ses, pause=lambda seconds: None),
        emit_metric=documents.append,
    )
    [document] = documents
    assert document.items() >= (counts | {"Environment": "test"}).items()
    assert counts == {
        "identities_waiting": 0,
        "identities_set": 0,
        "identities_drifted": 0,
        "identities_failed": 0,
    }
