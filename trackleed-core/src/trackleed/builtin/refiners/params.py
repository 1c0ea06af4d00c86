"""Options of the built-in refiners."""

from __future__ import annotations

from typing import Literal

from trackleed.params import Params, option


class GaussianParams(Params):
    """Options of the refiner ``gaussian``.

    The numbers of a fit that is not ``ok`` are NaN where they mean nothing (lost,
    near_edge, masked, no_convergence, left_roi) and are kept, to be looked at with
    care, where the status is saturated (fitted to the pixels that are not clipped),
    too_dim or neighbour.
    """

    shape: Literal["rotated", "upright", "circular"] = option(
        "rotated",
        "Elliptical spot at any angle, elliptical with axes along x and y, or circular.",
    )
    group_shape: Literal["auto", "own", "shared"] = option(
        "auto",
        "Positions only: each spot of a group has its own shape, or all share one; auto: "
        "one where with their own shapes the fit would lose a spot.",
    )
    background: Literal["plane", "constant"] = option(
        "plane",
        "Background under the spot; a constant on a slope g shifts the centre by 4 g sigma^2 / A.",
    )
    estimator: Literal["least_squares", "poisson"] = option(
        "least_squares",
        "Least squares weighted by the noise at the fitted model, or the maximum of the likelihood "
        "of photon counts. Positions and errors are the same; chi2_red is the deviance's.",
    )
    gain: float | None = option(
        None, "Variance for each count of signal; estimated from the series if not given.", ge=0
    )
    read_noise: float | None = option(
        None,
        "Standard deviation without light; estimated from the series if not given.",
        unit="counts",
        ge=0,
    )
    scale: float = option(
        1.0, "Side of the square ROI over the larger side of the track's box.", gt=0, le=10
    )
    min_size: int = option(11, "Smallest side of the ROI, made odd.", unit="px", ge=7, le=255)
    max_size: int = option(61, "Largest side of the ROI, made odd.", unit="px", ge=7, le=255)
    snr_min: float = option(
        3.0, "A spot whose amplitude or volume is less than this many errors is too_dim.", ge=0
    )
    max_shift: float = option(
        0.35,
        "A centre further from the track, as a part of the ROI's side, has left_roi.",
        gt=0,
        le=0.5,
    )
    max_width: float = option(
        0.8,
        "A spot whose full width at half maximum is a larger part of the ROI's side has left_roi.",
        gt=0,
        le=2,
    )
    min_sigma: float = option(
        0.5, "What is narrower than this is a hot pixel and no spot: too_dim.", unit="px", ge=0
    )
    min_usable: float = option(
        0.6,
        "Smallest part of the ROI inside the frame (else near_edge) and unmasked (else masked).",
        gt=0,
        le=1,
    )
    max_leak: float = option(
        0.1,
        "Light of a neighbour half-way to it, over the spot's amplitude, above which the "
        "fit is disturbed: neighbour.",
        ge=0,
    )
    second_order: bool = option(
        True,
        "Take the curvature of the model into account, by which dim spots come out too high and "
        "their errors too small; without, all is as of any least-squares fit, curve_fit's too.",
    )
    scale_errors: bool = option(
        True,
        "Multiply the errors by sqrt(chi2_red) where that is above 1, since no background is "
        "just as modelled (scale factor of the Particle Data Group).",
    )
