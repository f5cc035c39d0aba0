"""What OpenCV offers for an old photo, run without looking: `restore.py FROM TO`.

Every PNG in FROM becomes TO/clahe/NAME.png and TO/levels/NAME.png: scratches and
dust by a top-hat mask and Telea's inpainting, grain by non-local means with a
strength from the measured noise, then CLAHE on lightness, or a stretch of each
channel between its half percentiles. Prints seconds a file as JSON.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

cv2.setNumThreads(2)


def noise(grey):
    """Immerkaer, "Fast noise variance estimation", 1996."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    answer = cv2.filter2D(grey.astype(np.float32), -1, kernel)
    return float(np.mean(np.abs(answer))) * np.sqrt(np.pi / 2) / 6


def repaired(photo):
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    thin = cv2.max(
        cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, element),
        cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, element),
    )
    limit = max(40.0, float(thin.mean() + 4 * thin.std()))
    mask = cv2.dilate((thin > limit).astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
    return cv2.inpaint(photo, mask, 3, cv2.INPAINT_TELEA) if mask.any() else photo


def calmed(photo):
    sigma = noise(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY))
    if sigma < 2:
        return photo
    return cv2.fastNlMeansDenoisingColored(photo, None, sigma, sigma, 7, 21)


def clahe(photo):
    lab = cv2.cvtColor(photo, cv2.COLOR_BGR2LAB)
    lab[:, :, 0] = cv2.createCLAHE(2.0, (8, 8)).apply(lab[:, :, 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)


def levels(photo):
    low, high = np.percentile(photo.reshape(-1, 3), [0.5, 99.5], axis=0)
    stretched = (photo - low) * (255.0 / np.maximum(high - low, 1))
    return np.clip(stretched + 0.5, 0, 255).astype(np.uint8)


def main(source, target):
    seconds = {}
    for way in (clahe, levels):
        (target / way.__name__).mkdir(parents=True, exist_ok=True)
    for file in sorted(source.glob("*.png")):
        photo = cv2.imread(str(file))
        begin = time.perf_counter()
        calm = calmed(repaired(photo))
        results = {clahe: clahe(calm)}
        seconds[file.stem] = time.perf_counter() - begin
        results[levels] = levels(calm)
        for way, result in results.items():
            cv2.imwrite(str(target / way.__name__ / file.name), result)
    print(json.dumps(seconds))


main(Path(sys.argv[1]), Path(sys.argv[2]))
