"""From an answer file's passwords to ``secrets.toml``'s, none lost and none shown."""

from __future__ import annotations

from cloud.answers_choices import Translation, listed
from cloud.packstack_options import PASSWORDS, is_secret
from cloud.secrets import ALLOWED, weakness

# Passwords that packstack looks at only where another option is on.
ASKED_WITH = {
    "CONFIG_AMQP_AUTH_PASSWORD": "CONFIG_AMQP_ENABLE_AUTH",
    "CONFIG_CINDER_DB_PW": "CONFIG_CINDER_INSTALL",
    "CONFIG_CINDER_KS_PW": "CONFIG_CINDER_INSTALL",
}


def add_secrets(result: Translation) -> None:
    """The passwords, by their names here; those without a place stay by their own."""
    answers, choices = result.answers, result.choices
    for option in choices.new_passwords:
        if option not in PASSWORDS:
            names = listed(PASSWORDS)
            result.problems.append(f"--new-password {option}: is none of {names}")
    common, used = answers.secret("CONFIG_DEFAULT_PASSWORD"), set()
    for option, secret in PASSWORDS.items():
        if option in choices.new_passwords:
            continue
        source = option if answers.secret(option) else "CONFIG_DEFAULT_PASSWORD"
        asked = option not in ASKED_WITH or answers.on(ASKED_WITH[option])
        if value := answers.secret(option) or (common if asked else ""):
            result.passwords[secret] = value
            used.add(answers.option(source))
    result.unused = {
        name: answers.values[name]
        for name in answers.values
        if is_secret(name) and name not in used and answers.secret(name)
    }
    _check_passwords(result)
    if choices.allow_weak_secrets:
        result.settings["allow_weak_secrets"] = True
        result.comments["allow_weak_secrets"] = (
            "Short or known passwords of the answer file. Never for a cloud that somebody else can reach."
        )


def _check_passwords(result: Translation) -> None:
    """Nothing that files would misread, and nothing weak unless that is wanted."""
    answers, weak = result.answers, {}
    for option, secret in PASSWORDS.items():
        value = result.passwords.get(secret)
        reason = weakness(secret, value) if value else None
        usable = bool(value and ALLOWED.fullmatch(value))
        if reason and not (usable and result.choices.allow_weak_secrets):
            source = option if answers.secret(option) else "CONFIG_DEFAULT_PASSWORD"
            line = answers.lines[answers.option(source)]
            text = option if source == option else f"{option}, from {source}"
            weak.setdefault((reason, usable), []).append(f"{text} (line {line})")
    for (reason, usable), found in weak.items():
        other = ", or take all as they are by --allow-weak-secrets" if usable else ""
        result.problems.append(
            f"a password that {reason}: {listed(found)}: have a new one made by --new-password OPTION{other}"
        )
