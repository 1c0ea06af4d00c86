"""Lattice, radius against energy, and quality as steps that belong to one step of fits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import field_validator, model_validator

from trackleed import __version__, tables
from trackleed.analysis.centers import expansion_center
from trackleed.analysis.deviations import deviations
from trackleed.analysis.energy import radius_energy, radius_residuals
from trackleed.analysis.lattice import fit_lattice, index_spots, pixels_per_inverse_angstrom
from trackleed.analysis.quality import frame_quality, track_quality, uncertain_tracks
from trackleed.params import Params, make, option
from trackleed.pipeline.steps import add_step
from trackleed.pipeline.view import SessionView, aspect_of
from trackleed.wood import Matrix

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.session import Session, Step, StepWriter

MOST_NOTES = 12
"""Tracks that the note of a step names; its table has them all."""

ODD_ANGLE = 5.0
"""Degrees between the measured and the known cell from which on it is said."""

Cell = Literal["hexagonal", "square", "rectangular"]
Superstructure = str | Matrix | list[str | Matrix] | None


class LatticeParams(Params):
    """How spots are indexed and the lattice is fitted."""

    basis: tuple[int, int] = option(..., "tracks of the spots (1,0) and (0,1)")
    specular: int | None = option(None, "track of the (0,0) spot, instead of the pattern's centre")
    superstructure: Superstructure = option(
        None, "Wood's notation or 2x2 matrix; several for several domains"
    )
    tolerance: float = option(
        0.15, "how far a spot may be off, over the distance of neighbours", gt=0, lt=0.5
    )
    pixel_aspect: float | None = option(
        None, "width of a pixel over its height; that of analyse, or 1, if not given", gt=0, le=10
    )
    reference: int | None = option(
        None, "frame that strain and rotation refer to; the first with a lattice if not given", ge=0
    )
    contracts: Literal["auto", "yes", "no"] = option(
        "auto", "whether the pattern contracts as 1/sqrt(E + E0); auto: as the spots say"
    )
    energy_shift: float | None = option(
        None, "E0; from the contraction, or 0, if not given", unit="eV"
    )
    lattice_constant: tuple[float, ...] | None = option(
        None, "one or two, known in the reference frame; they tell how many px are 1/Å", unit="Å"
    )
    unit_cell: Cell | float | None = option(
        None, "hexagonal, square, rectangular, or the angle of the cell in real space", unit="deg"
    )

    @field_validator("lattice_constant", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _a_whole_cell(self) -> LatticeParams:
        if (self.lattice_constant is None) != (self.unit_cell is None):
            raise ValueError("a lattice constant and a unit cell are given together")
        if self.lattice_constant is None:
            return self
        if len(self.lattice_constant) not in (1, 2) or min(self.lattice_constant) <= 0:
            raise ValueError("a lattice constant is one length above 0, or two")
        if self.unit_cell in ("hexagonal", "square") and len(self.lattice_constant) == 2:
            raise ValueError(f"a {self.unit_cell} cell has one lattice constant")
        if self.unit_cell == "rectangular" and len(self.lattice_constant) == 1:
            raise ValueError("a rectangular cell has two lattice constants")
        if isinstance(self.unit_cell, float) and not 0 < self.unit_cell < 180:
            raise ValueError(f"the angle of the cell, {self.unit_cell:g}, is not between 0 and 180")
        return self

    @property
    def cell_angle(self) -> float:
        """Angle of the known cell in real space, degrees."""
        angles = {"hexagonal": 120.0, "square": 90.0, "rectangular": 90.0}
        return angles[self.unit_cell] if isinstance(self.unit_cell, str) else self.unit_cell or 0.0


def add_lattice(session: Session, fits: Step, options: dict[str, Any]) -> list[Step]:
    """Add the steps of indices and lattice, or return those that are done."""
    view = SessionView(session, fits)
    params = make(LatticeParams, options, "lattice", "see: trackleed lattice --help")
    aspect = aspect_of(view, params.pixel_aspect)
    params = params.model_copy(update={"pixel_aspect": aspect})
    positions = session.table(fits)
    needs_centre = params.specular is None and view.has("centers")
    energy, shift, note = _contraction(positions, view.index, params)

    def find_indices(writer: StepWriter) -> None:
        found = index_spots(
            positions,
            params.basis,
            centers=view.table("centers") if needs_centre else None,
            specular=params.specular,
            index=energy,
            superstructure=params.superstructure,
            tolerance=params.tolerance,
            pixel_aspect=aspect,
        )
        writer.write(found)
        writer.note(f"{int(found['ok'].sum())} of {len(found)} tracks are indexed")
        writer.note(*_said(found[~found["ok"]]))

    def find_lattice(writer: StepWriter) -> None:
        found = fit_lattice(
            positions,
            session.table(indices),
            index=energy,
            energy_shift=shift,
            reference=params.reference,
            pixel_aspect=aspect,
        )
        writer.write(found)
        writer.note(note, *_about_lattice(found))

    lengths = params.lattice_constant or ()

    def find_scales(writer: StepWriter) -> None:
        found = session.table(lattice)
        one_energy = view.index["energy_eV"].nunique(dropna=False) == 1
        scales = pixels_per_inverse_angstrom(
            found,
            lengths[0],
            lengths[-1],
            params.cell_angle,
            index=view.index if one_energy else energy,
            energy_shift=shift,
            reference=params.reference,
            pixel_aspect=aspect,
        )
        writer.write(scales)
        writer.note(*_about_scales(scales, found, params.cell_angle))

    known = params.model_dump(mode="json")
    cell = {name: known.pop(name) for name in ("lattice_constant", "unit_cell")}
    add = partial(add_step, session, newest=True, version=__version__)
    inputs = [fits, view.steps["centers"]] if needs_centre else [fits]
    indices = add("indexing", find_indices, params=known, inputs=inputs, spec=tables.TRACK_INDEX)
    lattice = add(
        "lattice", find_lattice, params=known, inputs=[fits, indices], spec=tables.LATTICE
    )
    if not lengths:
        return [indices, lattice]
    scales = add(
        "scale", find_scales, params=known | cell, inputs=[fits, lattice], spec=tables.SCALES
    )
    return [indices, lattice, scales]


def add_radius_energy(session: Session, fits: Step) -> list[Step]:
    """Add the steps of radius against energy, or return those that are done."""
    view = SessionView(session, fits)
    radii = view.table("radii")

    def find_energies(writer: StepWriter) -> None:
        found = radius_energy(radii, view.index)
        writer.write(found)
        writer.note(_about_energy(found))

    def find_residuals(writer: StepWriter) -> None:
        writer.write(radius_residuals(radii, view.index, session.table(energies)))

    add = partial(add_step, session, newest=True, version=__version__, params={})
    distances = view.steps["radii"]
    energies = add("energy", find_energies, inputs=[distances], spec=tables.RADIUS_ENERGY)
    residuals = add(
        "residual", find_residuals, inputs=[distances, energies], spec=tables.RADIUS_RESIDUALS
    )
    return [energies, residuals]


def add_quality(session: Session, fits: Step) -> list[Step]:
    """Add the steps of deviations and quality, or return those that are done."""
    view = SessionView(session, fits)
    positions = session.table(fits)
    given = {name: view.table(name) for name in ("track_index", "lattice") if view.has(name)}

    def find_deviations(writer: StepWriter) -> None:
        writer.write(
            deviations(
                positions,
                index=view.index,
                indices=given.get("track_index"),
                lattice=given.get("lattice"),
            )
        )

    def find_tracks(writer: StepWriter) -> None:
        found = track_quality(positions, session.table(away))
        uncertain = uncertain_tracks(found)
        writer.write(found)
        writer.note(f"{len(uncertain)} of {len(found)} tracks are uncertain", *_said(uncertain))

    def find_frames(writer: StepWriter) -> None:
        writer.write(frame_quality(positions, session.table(away)))

    add = partial(add_step, session, newest=True, version=__version__, params={})
    inputs = [fits, *(view.steps[name] for name in given)]
    away = add("deviation", find_deviations, inputs=inputs, spec=tables.DEVIATIONS)
    of_tracks = add("quality", find_tracks, inputs=[fits, away], spec=tables.TRACK_QUALITY)
    of_frames = add("framequality", find_frames, inputs=[fits, away], spec=tables.FRAME_QUALITY)
    return [away, of_tracks, of_frames]


def _contraction(
    fits: pd.DataFrame, index: pd.DataFrame, params: LatticeParams
) -> tuple[pd.DataFrame | None, tuple[float, float], str]:
    """The index if the pattern contracts, E0 with its error, and what is said of it."""
    given = (params.energy_shift or 0.0, 0.0)
    if params.contracts == "no":
        return None, given, "not corrected for the energy"
    found = expansion_center(fits, index)
    if not found.known and params.contracts == "auto":
        return None, given, f"not corrected for the energy: {found.reason}"
    if found.known and params.energy_shift is None:
        given = (found.energy_shift, found.energy_shift_err)
    return index, given, f"corrected for the energy with E0 = {given[0]:.2f} ± {given[1]:.2f} eV"


def _said(tracks: pd.DataFrame) -> list[str]:
    pairs = list(zip(tracks["track_id"], tracks["reason"], strict=True))
    said = [f"track {track}: {reason}" for track, reason in pairs[:MOST_NOTES]]
    more = len(pairs) - len(said)
    return [*said, f"and {more} more"] if more else said


def _about_lattice(lattice: pd.DataFrame) -> list[str]:
    known = lattice.dropna(subset=["x"])
    if len(known) == 0:
        return [f"no lattice in any of {len(lattice)} frames"]
    middle = known.median(numeric_only=True)
    return [
        f"lattice in {len(known)} of {len(lattice)} frames, rms {middle['rms']:.2f} px (median)",
        f"|a*| {middle['length_a']:.2f} px, |b*| {middle['length_b']:.2f} px, "
        f"{middle['angle_deg']:.2f}° apart (median)",
    ]


def _about_scales(scales: pd.DataFrame, lattice: pd.DataFrame, angle: float) -> list[str]:
    known = scales.dropna(subset=["scale"])
    if len(known) == 0:
        return ["no scale, as there is no lattice"]
    first, middle = known.iloc[0], known.median()
    said = [
        f"1/Å is {first['scale']:.2f} ± {first['scale_err']:.2f} px in frame {first['frame']:.0f}",
        f"|a*| {middle['a_star']:.4f} ± {middle['a_star_err']:.4f} 1/Å, "
        f"|b*| {middle['b_star']:.4f} ± {middle['b_star_err']:.4f} 1/Å (median)",
    ]
    if np.isfinite(middle["screen_radius"]):
        said.append(
            f"a beam at 90° would be {middle['screen_radius']:.2f} ± "
            f"{middle['screen_radius_err']:.2f} px from the (0,0) beam (median)"
        )
    measured = lattice["angle_deg"].median()
    if min(abs(measured - angle), abs(180 - measured - angle)) > ODD_ANGLE:
        said.append(f"a* and b* are {measured:.1f}° apart, which the known cell does not explain")
    return said


def _about_energy(found: pd.DataFrame) -> str:
    if found["shared_shift"].isna().all():
        return "the energies do not determine E0"
    shift, error = found["shared_shift"].iloc[0], found["shared_shift_err"].iloc[0]
    return (
        f"E0 = {shift:.2f} ± {error:.2f} eV; r^2 (E + E0) of a track is constant to "
        f"{found['scatter'].median():.1%} (median)"
    )
