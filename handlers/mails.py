"""Every word of the mails to people. Nothing that a stranger typed stands in them: they may go to anybody's mailbox."""

from handlers.host import Mail

SIGNATURE = "\n-- \nRefactorIQ\n"


def confirm_email(to: str, public_url: str, secret: str) -> Mail:
    """To somebody who registered, or gave another address: the link that proves that it is theirs."""
    return Mail(
        to,
        "Confirm your e-mail address",
        "Somebody, hopefully you, gave this address for an account on RefactorIQ.\n\n"
        "Open this link within a day to confirm that it is yours:\n\n"
        f"{public_url}/confirm?token={secret}\n\n"
        "If it was not you, do nothing: without the link the address is not confirmed.\n" + SIGNATURE,
    )


def reset_password(to: str, public_url: str, secret: str) -> Mail:
    """To somebody who forgot their password."""
    return Mail(
        to,
        "Set a new password",
        "Somebody, hopefully you, asked for a new password for your account on RefactorIQ.\n\n"
        "Open this link within an hour to set one. It works once:\n\n"
        f"{public_url}/reset?token={secret}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n" + SIGNATURE,
    )


def invitation(to: str, public_url: str, secret: str) -> Mail:
    """To somebody for whom an administrator made an account."""
    return Mail(
        to,
        "Your account on RefactorIQ",
        "An administrator made an account with this address for you.\n\n"
        "Open this link within three days to choose your password. It works once:\n\n"
        f"{public_url}/reset?token={secret}\n\n"
        "Later you can always ask for another link where you sign in.\n" + SIGNATURE,
    )


def password_changed(to: str, public_url: str) -> Mail:
    """To somebody whose password was changed, so that they know where it was not them."""
    return Mail(
        to,
        "Your password was changed",
        "The password of your account on RefactorIQ was changed, and all other sign-ins were ended.\n\n"
        f"If it was not you, set a new one now: {public_url}/reset\n" + SIGNATURE,
    )


def email_changed(to: str, public_url: str) -> Mail:
    """To the address that an account had before."""
    return Mail(
        to,
        "Your e-mail address was changed",
        "Your account on RefactorIQ has another e-mail address now: this one is not asked any more.\n\n"
        f"If it was not you, tell an administrator of {public_url} at once.\n" + SIGNATURE,
    )
