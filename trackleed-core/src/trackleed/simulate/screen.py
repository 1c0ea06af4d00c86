"""The fluorescent screen as a camera sees it from afar."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trackleed.simulate.lattice import Floats

_SOFTNESS = 3.0  # px over which rim and shadow go from light to dark


@dataclass(frozen=True)
class Screen:
    """Hemispherical screen with the electron gun in front of it, seen along the gun's axis.

    A beam at the angle theta from the axis meets the sphere at ``r = R sin(theta)`` in the
    picture, R being the sphere's radius in px: ``r = R g / k``, so r ~ 1/sqrt(E).

    Parameters
    ----------
    shape : (int, int)
        Height and width of the frame.
    opening_deg : float
        Half of the screen's opening angle.
    rim : float
        Radius of the screen's rim over half of the frame's shorter side.
    centre : (float, float)
        x and y of the axis over the frame's width and height.
    pixel_aspect : float
        Width of a pixel over its height: not 1 makes circles into ellipses.
    gun, arm : float
        Radius of the gun's shadow and half width of its arm's, over the rim's radius.
    arm_deg : float
        Direction of the arm from +x towards +y.
    """

    shape: tuple[int, int]
    opening_deg: float = 51.0
    rim: float = 0.92
    centre: tuple[float, float] = (0.505, 0.495)
    pixel_aspect: float = 1.0
    gun: float = 0.19
    arm: float = 0.08
    arm_deg: float = -90.0

    @property
    def axis(self) -> tuple[float, float]:
        """x and y, in px, where the axis meets the screen."""
        height, width = self.shape
        return self.centre[0] * (width - 1), self.centre[1] * (height - 1)

    @property
    def rim_radius(self) -> float:
        """Radius of the rim in px, measured along y."""
        return self.rim * min(self.shape) / 2

    @property
    def opening(self) -> float:
        """Largest sin(theta) of a beam that meets the screen."""
        return float(np.sin(np.radians(self.opening_deg)))

    @property
    def sphere_radius(self) -> float:
        """Radius R of the hemisphere in px, measured along y."""
        return self.rim_radius / self.opening

    def project(self, sine: Floats) -> tuple[Floats, Floats]:
        """Pixel coordinates x, y of directions given by ``sin(theta)`` along x and y, (..., 2)."""
        x, y = self.axis
        radius = self.sphere_radius
        return x + radius / self.pixel_aspect * sine[..., 0], y + radius * sine[..., 1]

    def within_rim(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Whether places lie on the screen, seen or in shadow; same shape as x and y."""
        x0, y0 = self.axis
        return np.asarray(np.hypot((x - x0) * self.pixel_aspect, y - y0) < self.rim_radius)

    def sees(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Whether the pixels nearest to places are in the frame and `valid`; False for NaN."""
        inside = (x > -0.5) & (x < self.shape[1] - 0.5) & (y > -0.5) & (y < self.shape[0] - 0.5)
        column = np.rint(np.where(inside, x, 0)).astype(np.intp)
        row = np.rint(np.where(inside, y, 0)).astype(np.intp)
        return np.asarray(inside & self.valid[row, column])

    @cached_property
    def _from_axis(self) -> tuple[Floats, Floats]:
        x, y = self.axis
        rows, columns = np.ogrid[: self.shape[0], : self.shape[1]]
        return (columns - x) * self.pixel_aspect, (rows - y).astype(np.float64)

    @cached_property
    def radius(self) -> Floats:
        """Distance of each pixel from the axis over the rim's radius, (y, x)."""
        return np.asarray(np.hypot(*self._from_axis) / self.rim_radius)

    @cached_property
    def transmission(self) -> Floats:
        """Part of the screen's light that reaches each pixel, (y, x): 1 where nothing hides it."""
        dx, dy = self._from_axis
        c, s = np.cos(np.radians(self.arm_deg)), np.sin(np.radians(self.arm_deg))
        along, across = dx * c + dy * s, np.abs(dy * c - dx * s)
        behind_arm = np.minimum(self.arm * self.rim_radius - across, along)
        behind_gun = (self.gun - self.radius) * self.rim_radius
        beyond_rim = (self.radius - 1.0) * self.rim_radius
        hidden = np.maximum(np.maximum(behind_arm, behind_gun), beyond_rim)
        part = np.clip(-hidden / _SOFTNESS, 0.0, 1.0)
        return np.asarray(part**2 * (3.0 - 2.0 * part))

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """True on the screen where neither gun nor arm casts any shadow, (y, x)."""
        return np.asarray(self.transmission == 1.0)

    @cached_property
    def diffuse(self) -> Floats:
        """Diffusely scattered electrons, brightest at the axis where it is 1, (y, x).

        A little more on one side than on the other, as it is on real screens.
        """
        dx, dy = self._from_axis
        tilt = 1.0 + 0.12 * (0.8 * dx - 0.6 * dy) / self.rim_radius
        return np.asarray(
            (0.3 + 0.7 * np.exp(-((self.radius / 0.62) ** 2))) * np.clip(tilt, 0.5, 1.5)
        )

    def lines(
        self, spacing: float, angle_deg: float, shift: tuple[float, float], width: float
    ) -> Floats:
        """Lines half-way between rows of spots, 1 along their middle, (y, x).

        Parameters
        ----------
        spacing : float
            Sine of the angle between neighbouring rows.
        angle_deg : float
            Direction of the rows from +x towards +y.
        shift : (float, float)
            x and y, in px, of the row through (0,0) from the axis.
        width : float
            Standard deviation across a line in px.
        """
        dx, dy = self._from_axis
        c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
        across = (dy - shift[1]) * c - (dx - shift[0] * self.pixel_aspect) * s
        period = spacing * self.sphere_radius
        from_line = across - period * (np.floor(across / period) + 0.5)
        return np.asarray(np.exp(-0.5 * (from_line / width) ** 2))

    @cached_property
    def glare(self) -> Floats:
        """Light that the screen throws on everything round it, over the diffuse light, (y, x)."""
        ring = np.exp(-(((self.radius - 1.08) / 0.03) ** 2))
        return np.asarray(0.10 * np.exp(-((self.radius / 1.1) ** 2)) + 0.015 * ring)
