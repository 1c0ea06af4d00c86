"""Where every spot is, how bright and how wide, in every frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trackleed.simulate.diffraction import (
    REFERENCE_K,
    beam_current,
    contraction,
    debye_waller,
    iv_curve,
    mean_square_displacement,
    wavenumber,
)
from trackleed.simulate.lattice import Beams, Floats, beams, joined
from trackleed.simulate.scenarios import Scenario
from trackleed.simulate.screen import Screen
from trackleed.simulate.settings import Settings, Stream
from trackleed.simulate.surfaces import Surface
from trackleed.wood import superstructure_matrix

_MARGIN = 1.1  # beams that a drift can bring onto the screen
_FRACTIONAL = 0.25  # intensity of a complete superstructure's spots over the substrate's
_DIMMING = 0.5  # part of the substrate's intensity that a complete superstructure takes
_ISLANDS = 0.8  # relative broadening of the superstructure's spots while islands are small
_UNEVEN = 0.1  # scatter of intensity between beams that symmetry makes equal
_SPECULAR = 3.0  # intensity of (0,0) over that of other beams
_DEFOCUS = 4.0  # factor on the widths while out of focus
_VANISHING = 0.35  # part of the spots that a loss of single spots hits
_STATIC = 0.5  # part of the diffuse light that defects make, not phonons


@dataclass(frozen=True)
class Pattern:
    """Spots of a series; arrays are (frame, spot) unless said otherwise.

    Attributes
    ----------
    hk : ndarray (spot, 2)
    x, y : ndarray
        Centre in px; NaN where the beam does not exist (g > k).
    amplitude : ndarray
        Height of the Gaussian in counts; 0 where there is no light.
    sigma_x, sigma_y : ndarray
        Widths in px.
    theta_deg : ndarray (spot,)
        Direction of the sigma_x axis, in (-45, 45].
    diffuse : ndarray (frame,)
        Level of the diffuse light on the axis, in counts.
    scale : ndarray (frame,)
        Sine of a beam's angle over its scattering vector at 300 K, in Å.
    shift : ndarray (frame, 2)
        How far the pattern is from where it belongs, along x and y, in px.
    """

    hk: Floats
    x: Floats
    y: Floats
    amplitude: Floats
    sigma_x: Floats
    sigma_y: Floats
    theta_deg: Floats
    diffuse: Floats
    scale: Floats
    shift: Floats


def pattern(scenario: Scenario, settings: Settings) -> Pattern:
    """Work out the spots of a whole series."""
    screen, when, sample = settings.screen, scenario.schedule(settings.frames), scenario.sample
    k = wavenumber(when["energy_eV"])
    shrink = contraction(when["temperature_K"], sample.expansion_per_K)
    spots = _all_beams(scenario, _MARGIN * screen.opening, np.max(k / shrink))
    shift = _shift(scenario, settings)
    x, y = _places(scenario, screen, spots, shrink / k, shift)
    seen = np.any(screen.within_rim(x, y), axis=0)
    spots, x, y = spots[seen], x[:, seen], y[:, seen]

    matrix = superstructure_matrix(sample.lattice.real, scenario.superstructure)
    complete = np.minimum(when["coverage_ML"] * abs(np.linalg.det(matrix)), 1.0)[:, None]
    sigma_x, sigma_y, theta, uneven = _shapes(settings, spots)
    islands = np.where(spots.fractional, 1 + _ISLANDS * (1 - complete), 1.0)
    warmth = 1 + scenario.broadening_per_K * (when["temperature_K"] - REFERENCE_K)
    sigma_x, sigma_y = (sigma * warmth[:, None] * islands for sigma in (sigma_x, sigma_y))

    intensity, diffuse = _intensity(sample, settings, spots, when, shrink)
    order = np.where(spots.fractional, _FRACTIONAL * complete, 1 - _DIMMING * complete)
    order *= np.array([1.0, *(facet.intensity for facet in scenario.facets)])[spots.facet]
    amplitude = intensity * order * uneven / (2 * np.pi * sigma_x * sigma_y)
    full = settings.exposure * settings.camera.full_scale
    amplitude *= full / amplitude[screen.sees(x, y)].max(initial=np.finfo(float).tiny)
    diffuse *= settings.background * full / diffuse.max()
    whole = Pattern(spots.hk, x, y, amplitude, sigma_x, sigma_y, theta, diffuse, shrink / k, shift)
    return _lose(whole, scenario, settings, spots)


def _intensity(
    sample: Surface, settings: Settings, spots: Beams, when: dict[str, Floats], shrink: Floats
) -> tuple[Floats, Floats]:
    """Relative intensity of the clean surface's beams (frame, spot), and of the diffuse light.

    What the Debye-Waller factor takes from the beams goes into the diffuse light.
    """
    energy, k = when["energy_eV"], wavenumber(when["energy_eV"])
    displacement = mean_square_displacement(when["temperature_K"], sample.mass_u, sample.debye_K)
    g = np.hypot(*spots.g.T) * shrink[:, None]
    factor = debye_waller(k[:, None], g, displacement[:, None])
    specular = debye_waller(k, np.zeros_like(k), displacement)
    current = beam_current(energy)
    diffuse = current * (_STATIC + (1 - _STATIC) * (1 - specular))
    return current[:, None] * _curves(settings, spots, energy) * factor, diffuse


def _all_beams(scenario: Scenario, opening: float, k_max: float) -> Beams:
    """Beams of the flat surface and of the facets that can come onto the screen."""
    lattice = scenario.sample.lattice
    parts = [beams(lattice, scenario.superstructure, opening * k_max)]
    for number, facet in enumerate(scenario.facets, start=1):
        reach = opening + np.hypot(*facet.specular)
        parts.append(beams(lattice, "(1x1)", reach * k_max, number))
    return joined(parts)


def _shift(scenario: Scenario, settings: Settings) -> Floats:
    """Displacement (frame, 2) of the pattern in px."""
    progress = np.linspace(0, 1, settings.frames)
    shake = settings.rng(Stream.SHAKE).normal(0, 1, (settings.frames, 2)) * scenario.shake_px
    shift = progress[:, None] * np.array(scenario.drift_px) + shake
    for jump in scenario.jumps:
        shift[round(jump.start * settings.frames) :] += (jump.x, jump.y)
    return np.asarray(shift)


def _places(
    scenario: Scenario, screen: Screen, spots: Beams, scale: Floats, shift: Floats
) -> tuple[Floats, Floats]:
    """Centres (frame, spot) of all beams; ``scale`` (frame,) is contraction over wavenumber."""
    turn = np.radians(scenario.azimuth_deg)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    towards = np.array([(0.0, 0.0), *(facet.specular for facet in scenario.facets)])
    sine = scale[:, None, None] * (spots.g @ rotation) + towards[spots.facet]
    sine[np.hypot(sine[..., 0], sine[..., 1]) > 1] = np.nan
    x, y = screen.project(sine)
    return x + shift[:, :1], y + shift[:, 1:]


def _curves(settings: Settings, spots: Beams, energy: Floats) -> Floats:
    """I(V) curves (frame, spot), one for all beams that symmetry makes equal."""
    names = spots.orbit_names
    curves = {name: iv_curve(energy, settings.rng(Stream.CURVE, *name)) for name in set(names)}
    specular = np.where(np.any(spots.hk != 0, axis=1), 1.0, _SPECULAR)
    return np.asarray(np.stack([curves[name] for name in names], axis=1) * specular)


def _shapes(settings: Settings, spots: Beams) -> tuple[Floats, Floats, Floats, Floats]:
    """Both sigmas, angle and brightness over its equals, each (spot,)."""
    rows = []
    for beam in spots.names:
        rng = settings.rng(Stream.SHAPE, *beam)
        sigmas = rng.uniform(*settings.sigma, 2)
        rows.append([*sigmas, -rng.uniform(-45, 45), np.exp(rng.normal(0, _UNEVEN))])
    sigma_x, sigma_y, theta, uneven = np.array(rows).T
    return sigma_x, sigma_y, theta, uneven


def _lose(whole: Pattern, scenario: Scenario, settings: Settings, spots: Beams) -> Pattern:
    """The pattern with the scenario's losses; the exposure is that of the whole one."""
    frame = np.arange(settings.frames)
    on, blur, there = np.ones(len(frame)), np.ones(len(frame)), np.ones(whole.x.shape)
    for number, loss in enumerate(scenario.losses):
        first = round(loss.start * settings.frames)
        during = (frame >= first) & (frame < first + loss.frames)
        if loss.kind == "off":
            on[during] = 0.0
        elif loss.kind == "blurred":
            blur[during] = _DEFOCUS
        else:
            for spot, beam in enumerate(spots.names):
                rng = settings.rng(Stream.LOSS, number, *beam)
                if rng.random() < _VANISHING:
                    start = first + int(rng.integers(loss.frames))
                    there[start : start + loss.frames, spot] = 0.0
    return replace(
        whole,
        amplitude=whole.amplitude * there * (on / blur**2)[:, None],
        sigma_x=whole.sigma_x * blur[:, None],
        sigma_y=whole.sigma_y * blur[:, None],
        diffuse=whole.diffuse * on,
    )
