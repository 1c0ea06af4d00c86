"""The verbs that work on fits alone: no backend, and no loop over frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from trackleed.pipeline.deriving import add_lattice, add_quality, add_radius_energy

if TYPE_CHECKING:
    from trackleed.session import Session, Step


class Analyses(ABC):
    """Verbs of a `Run` that need nothing but its fits."""

    session: Session

    def lattice(
        self, basis: tuple[int, int], *, fits: Step | str | None = None, **options: Any
    ) -> list[Step]:
        """Index the spots and fit the reciprocal lattice of every frame.

        Parameters
        ----------
        basis : (int, int)
            Tracks of the spots (1, 0) and (0, 1).
        fits : Step or str, optional
            Fits to use; the newest by default.
        **options
            ``specular``, ``superstructure``, ``tolerance``, ``pixel_aspect``, ``reference``,
            ``contracts`` and ``energy_shift``.

        Returns
        -------
        list of Step
            With the ``track_index`` and ``lattice`` tables.

        Raises
        ------
        InputError
            If the two tracks are no basis, or an option cannot be used.
        """
        chosen = self._chosen("refine", fits)
        return add_lattice(self.session, chosen, {"basis": basis, **options})

    def radius_energy(self, *, fits: Step | str | None = None) -> list[Step]:
        """Fit r^2 (E + E0) = const to the radii that `analyse` found.

        Returns
        -------
        list of Step
            With the ``radius_energy`` and ``radius_residuals`` tables.

        Raises
        ------
        SessionError
            If there are no radii yet.
        """
        return add_radius_energy(self.session, self._chosen("refine", fits))

    def quality(self, *, fits: Step | str | None = None) -> list[Step]:
        """Say which tracks and frames to trust, and why some are uncertain.

        Returns
        -------
        list of Step
            With the ``deviations``, ``track_quality`` and ``frame_quality`` tables.
        """
        return add_quality(self.session, self._chosen("refine", fits))

    @abstractmethod
    def _chosen(self, kind: str, step: Step | str | None) -> Step:
        """The step that the user named, or the newest finished one of that kind."""
