"""`carrel rollback`: goes back to the model before the last promotion."""

from __future__ import annotations

import click

from app.cli.command import command as carrel_command
from app.cli.session import DONE, INTERRUPTED, Session, pass_session


@carrel_command("rollback", examples=(("carrel rollback", "Go back to what was in use before the last promotion."),))
@pass_session
def command(session: Session) -> int:
    """Go back to the model, or the constants, that were in use before the last promotion.

    A model's vectors are kept, so this is instant: only what was indexed since is embedded.
    """
    from app.cli.indexer_request import switch_model
    from training import fusion_promotion
    from training.promotion import former_model
    from training.shadow_promotion import former as kept_beside

    with session.open() as library:
        if fusion_promotion.came_last(library.path):
            before = fusion_promotion.rollback(library.path)
            click.echo(f"The library ranks by {f'the constants of {before.run}' if before else 'the defaults'} again.")
            return DONE
        former = kept_beside(library) or former_model(library.status().model)
        if not switch_model(library, former):
            click.echo("Stopped early; `carrel rollback` goes on from here.", err=True)
            return INTERRUPTED
    click.echo(f"The library uses {former} again.")
    return DONE
