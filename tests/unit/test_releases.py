"""Releases by age, and which of them a platform can install."""

import pytest

from cloud.releases import AVAILABLE, BY_AGE, SPANS, Release, agent_refusal, refusal


def test_the_names_after_zed_are_younger_than_zed():
    known = ["zed", "liberty", "flamingo", "antelope", "ocata", "epoxy", "dalmatian", "train"]
    assert [str(release) for release in sorted(map(Release, known))] == [
        "liberty", "ocata", "train", "zed", "antelope", "dalmatian", "epoxy", "flamingo"
    ]  # fmt: skip


def test_releases_are_in_the_order_of_their_letters_up_to_zed():
    upto = BY_AGE[: BY_AGE.index("zed") + 1]
    assert list(upto) == sorted(upto)
    assert len(set(BY_AGE)) == len(BY_AGE)


def test_a_release_is_compared_with_plain_names_as_templates_do():
    release = Release("epoxy")
    assert release >= "ocata"
    assert release > "zed"
    assert release <= "epoxy"
    assert release < "flamingo"
    assert release == "epoxy"
    assert release != "zed"
    assert not release < "caracal"
    assert {release: 1}["epoxy"] == 1


def test_a_typo_in_a_comparison_is_no_silent_false():
    with pytest.raises(ValueError, match="unknown release 'ocatta'; known, oldest first: liberty, mitaka"):
        assert Release("epoxy") >= "ocatta"


@pytest.mark.parametrize("name", ["Epoxy", "", "2025.1"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match="unknown release"):
        Release(name)


@pytest.mark.parametrize(
    ("release", "platform", "message"),
    [
        ("epoxi", "debian", "unknown release 'epoxi'; known, oldest first: liberty"),
        ("epoxy", "suse", "unknown platform 'suse'; known: debian"),
        (
            "train",
            "debian",
            "platform 'debian' does not have release 'train'; it has: zed (on debian 12), epoxy (on debian",
        ),
        ("flamingo", "el", "train (on el 7), zed (on el 9), antelope (on el 9)"),
    ],
)
def test_a_refusal_says_what_there_is(release, platform, message):
    assert message in refusal(release, platform)


def test_what_is_available_is_not_refused():
    for platform, releases in AVAILABLE.items():
        for release in releases:
            assert refusal(release, platform) is None


@pytest.mark.parametrize("release", ["zed", "dalmatian", "train"])
def test_an_older_release_may_have_linux_bridges(release):
    assert agent_refusal(release, "linuxbridge") is None


@pytest.mark.parametrize("release", ["epoxy", "flamingo"])
def test_a_younger_release_has_open_vswitch_only(release):
    assert agent_refusal(release, "openvswitch") is None
    assert agent_refusal(release, "linuxbridge") == (
        f"l2_agent 'linuxbridge' is not in release {release}: neutron dropped it with epoxy (2025.1); "
        "take l2_agent = 'openvswitch', or an older release"
    )


@pytest.mark.parametrize("feature", SPANS)
def test_every_span_names_releases_in_their_order(feature):
    first, last = SPANS[feature]
    assert first or last
    for name in filter(None, (first, last)):
        assert name in BY_AGE
    assert not (first and last) or Release(first) <= last
    # And it tells two releases apart.
    assert {Release(name).has(feature) for name in BY_AGE} == {True, False}


@pytest.mark.parametrize(
    ("feature", "without", "with_it"),
    [
        ("bootstrap", "liberty", "mitaka"),
        ("admin_token", "mitaka", "liberty"),
        ("linuxbridge", "epoxy", "dalmatian"),
        ("linuxbridge_experimental", "yoga", "zed"),
        ("lbaas", "train", "stein"),
        ("placement_service", "ocata", "train"),
        ("nova_consoleauth", "train", "ocata"),
    ],
)
def test_what_came_and_went(feature, without, with_it):
    assert not Release(without).has(feature)
    assert Release(with_it).has(feature)


def test_an_unknown_feature_is_an_error_and_not_absent():
    with pytest.raises(KeyError):
        Release("epoxy").has("linuxbrigde")


def test_options_have_the_name_of_their_time():
    assert Release("liberty").option("auth_type") == "auth_plugin"
    assert Release("ocata").option("auth_type") == "auth_type"
    assert Release("ocata").option("www_authenticate_uri") == "auth_uri"
    assert Release("epoxy").option("www_authenticate_uri") == "www_authenticate_uri"
    assert Release("zed").option("my_ip") == "my_ip"
