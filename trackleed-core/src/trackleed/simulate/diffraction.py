"""Where the electrons go and how many: kinematics, I(V) curves, Debye-Waller factor."""

from __future__ import annotations

import numpy as np

from trackleed.simulate.lattice import Floats

WAVENUMBER = 0.5123
"""Electron wavenumber in 1/Å over the square root of the energy in eV: sqrt(2 m e) / ħ."""

REFERENCE_K = 300.0
"""Temperature in K at which a lattice is given."""

_H2_PER_U_KB = 48.51  # ħ² / (u k_B) in Å² K
_SURFACE_SOFTENING = 2.0  # <u²> of surface atoms over that of the bulk, typical of metals
_PEAK_WIDTH = (4.0, 7.0)  # eV, standard deviation: a FWHM of 2 to 3 times V0i = 5 eV
_PEAK_SPACING = (16.0, 34.0)  # eV between neighbouring peaks of one beam
_ENERGY_TOP = 1000.0  # eV, I(V) curves have peaks up to here
_FLOOR = 0.01  # intensity between the peaks, over a peak of mean height


def wavenumber(energy_eV: Floats) -> Floats:
    """Electron wavenumber in 1/Å."""
    return np.asarray(WAVENUMBER * np.sqrt(energy_eV))


def beam_current(energy_eV: Floats) -> Floats:
    """Current of the electron gun in A, limited by space charge: I ~ E^1.5.

    References
    ----------
    Child, Phys. Rev. (Series I) 32, 492 (1911); 1 µA at 100 eV is usual for LEED guns.
    """
    return np.asarray(1e-6 * (np.asarray(energy_eV) / 100.0) ** 1.5)


def contraction(temperature_K: Floats, expansion_per_K: float) -> Floats:
    """Factor on reciprocal lengths against those at 300 K."""
    return np.asarray(1.0 / (1.0 + expansion_per_K * (np.asarray(temperature_K) - REFERENCE_K)))


def mean_square_displacement(temperature_K: Floats, mass_u: float, debye_K: float) -> Floats:
    """Mean square displacement of a surface atom along one axis, in Å².

    Debye model, ``3 ħ²/(M k Θ) [ (T/Θ)² ∫_0^{Θ/T} x/(e^x - 1) dx + 1/4 ]``, doubled for the
    softer bonds at a surface.

    References
    ----------
    Van Hove, Weinberg and Chan, *Low-Energy Electron Diffraction* (Springer, 1986), ch. 4.
    """
    temperature = np.atleast_1d(np.asarray(temperature_K, dtype=np.float64))
    ratio = debye_K / np.maximum(temperature, 1e-3)
    fraction = (np.arange(256) + 0.5) / 256
    x = ratio[:, None] * fraction
    integral = ratio * np.mean(x / np.expm1(np.minimum(x, 700.0)), axis=1)
    phonons = integral / ratio**2 + 0.25
    result = _SURFACE_SOFTENING * 3 * _H2_PER_U_KB / (mass_u * debye_K) * phonons
    return np.asarray(result.reshape(np.shape(temperature_K)))


def debye_waller(k: Floats, g: Floats, displacement: Floats) -> Floats:
    """Factor exp(-2W) on the intensity of a beam at normal incidence.

    Parameters
    ----------
    k, g : ndarray
        Wavenumber and in-plane scattering vector in 1/Å; they broadcast.
    displacement : ndarray
        Mean square displacement in Å².

    Notes
    -----
    ``2W = <u²> |Δk|²`` with ``|Δk|² = g² + (k + sqrt(k² - g²))²``; zero where ``g > k``, where
    there is no such beam.
    """
    normal = np.sqrt(np.maximum(k**2 - g**2, 0.0))
    factor = np.exp(-displacement * (g**2 + (k + normal) ** 2))
    return np.where(g <= k, factor, 0.0)


def iv_curve(energy_eV: Floats, rng: np.random.Generator) -> Floats:
    """Smooth made-up I(V) curve: Gaussian peaks of about the width that absorption allows.

    Parameters
    ----------
    energy_eV : ndarray (n,)
    rng : Generator
        Its state is all that makes one curve different from another.

    Returns
    -------
    ndarray (n,)
        Intensity at constant current, 1 on a peak of mean height.

    References
    ----------
    Pendry, J. Phys. C 13, 937 (1980), for the width ``2 V0i`` of the peaks.
    """
    count = int(_ENERGY_TOP / _PEAK_SPACING[0])
    position = np.cumsum(rng.uniform(*_PEAK_SPACING, count))
    height = rng.exponential(1.0, count)
    width = rng.uniform(*_PEAK_WIDTH, count)
    distance = (np.asarray(energy_eV)[:, None] - position) / width
    return np.asarray(_FLOOR + np.sum(height * np.exp(-0.5 * distance**2), axis=1))
