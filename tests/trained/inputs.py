# SPDX-License-Identifier: MIT
"""What trained models are given: a voice, and printed text."""
import numpy as np

RATE = 16000

# Vowels as their first three formants, Hz
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (530, 1840, 2480), (570, 840, 2410), (300, 870, 2240))

# Letters as seven rows of five pixels
FONT = {
    "O": "01110 10001 10001 10001 10001 10001 01110", "N": "10001 11001 10101 10011 10001 10001 10001",
    "S": "01111 10000 10000 01110 00001 00001 11110", "R": "11110 10001 10001 11110 10100 10010 10001",
    "A": "01110 10001 10001 11111 10001 10001 10001", "M": "10001 11011 10101 10101 10001 10001 10001",
    "2": "01110 10001 00001 00110 01000 10000 11111", "0": "01110 10011 10101 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110", " ": "00000 00000 00000 00000 00000 00000 00000",
}


def voice(samples):
    """A voice that says vowels, four in a second: harmonics of a falling pitch, louder near the formants."""
    t = np.arange(samples) / RATE
    pitch = 140 - 15 * t + 5 * np.sin(2 * np.pi * 5 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = np.array(VOWELS, np.float64)[(t * 4).astype(int) % len(VOWELS)]
    sound = np.zeros(samples)
    for harmonic in range(1, 40):
        frequency = harmonic * pitch
        gain = sum(1 / (1 + ((frequency - formants[:, i]) / 90) ** 2) for i in range(3))
        sound += gain / harmonic * np.sin(harmonic * phase)
    loud = np.clip(np.sin(np.pi * ((t * 4) % 1)) * 2, 0, 1)
    return (0.5 * sound * loud / np.abs(sound).max()).astype(np.float32)


def text(words, height, width, scale):
    """An image [1, 3, height, width] of WORDS in dark pixels of SCALE x SCALE, on light ground, scaled to [-1, 1]."""
    rows = [[int(p) for letter in words for p in FONT[letter].split()[row] + "0"] for row in range(7)]
    letters = np.kron(np.array(rows), np.ones((scale, scale)))
    image = np.full((height, width), 0.9)
    top, left = (height - letters.shape[0]) // 2, (width - letters.shape[1]) // 2
    image[top:top + letters.shape[0], left:left + letters.shape[1]] -= 0.8 * letters
    return np.repeat(image[None, None], 3, axis=1).astype(np.float32) * 2 - 1
