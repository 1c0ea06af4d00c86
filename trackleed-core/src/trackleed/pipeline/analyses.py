"""The verbs that follow from the fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackleed.pipeline.current import chosen
from trackleed.pipeline.deriving import add_lattice, add_quality, add_radius_energy
from trackleed.pipeline.engine import executor_or_threads
from trackleed.pipeline.relating import add_positions

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from trackleed.progress import Progress
    from trackleed.registry import Registry
    from trackleed.session import Session, Step


class Analyses:
    """Verbs of a `Run` that follow from its fits."""

    session: Session
    registry: Registry
    progress: Progress
    executor: Executor | None
    jobs: int | None

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
            ``contracts`` and ``energy_shift``; ``lattice_constant`` (Å) and ``unit_cell``
            ("hexagonal", "square", "rectangular" or an angle) of a lattice that is known.

        Returns
        -------
        list of Step
            With the ``track_index`` and ``lattice`` tables, and ``scales`` of a known lattice.

        Raises
        ------
        InputError
            If the two tracks are no basis, or an option cannot be used.
        """
        source = chosen(self.session, "refine", fits)
        return add_lattice(self.session, source, {"basis": basis, **options})

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
        return add_radius_energy(self.session, chosen(self.session, "refine", fits))

    def quality(self, *, fits: Step | str | None = None) -> list[Step]:
        """Say which tracks and frames to trust, and why some are uncertain.

        Returns
        -------
        list of Step
            With the ``deviations``, ``track_quality`` and ``frame_quality`` tables.
        """
        return add_quality(self.session, chosen(self.session, "refine", fits))

    def positions(
        self, backend: str = "gaussian", *, fits: Step | str | None = None, **options: Any
    ) -> list[Step]:
        """Measure satellites relative to a reference spot, fitted together with it.

        Parameters
        ----------
        backend : str
            A refiner that fits groups.
        fits : Step or str, optional
            Fits to start from; the newest by default.
        **options
            ``groups``, such as ``[(3, [17, 18, 19]), (5, [])]``: reference and satellites by track,
            those within ``within`` px if none are named; without groups, every bright
            track with satellites. ``half_size`` of the ROIs, ``significance``,
            ``min_separation``, ``max_walk``, ``max_jump``, ``pixel_aspect``; ``refiner``, the
            refiner's options.

        Returns
        -------
        list of Step
            With the ``group_fits`` and ``positions`` tables.

        Raises
        ------
        InputError
            If a track is not there, or there are no satellites.
        """
        found = self.registry.find("refiner", backend)
        source = chosen(self.session, "refine", fits)
        with executor_or_threads(self.executor, self.jobs) as executor:
            return add_positions(self.session, found, source, options, executor, self.progress)
