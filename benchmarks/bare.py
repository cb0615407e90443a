"""The calls that features of a clip cannot be had without, and nothing around them.

The arguments are those of `extractors`; nothing of that package is imported.
"""

from typing import Any

import av
import librosa
import numpy as np
import torch

SAMPLE_RATE = 16_000
HOP = 640
WINDOW = 1024
PITCH_WINDOW = 2048
PITCH_HZ = (65.0, 500.0)


def decode_pictures(path: str, fps: float) -> list[np.ndarray]:
    """Decode every frame, and turn so many of each second into RGB."""
    pictures: list[np.ndarray] = []
    with av.open(path) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time * fps >= len(pictures):
                pictures.append(frame.to_ndarray(format="rgb24"))
    return pictures


def decode_sound(path: str) -> np.ndarray:
    """Decode the sound to 16 kHz mono."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    parts = [np.zeros(0, np.float32)]
    with av.open(path) as container:
        if container.streams.audio:
            for frame in container.decode(audio=0):
                parts += [part.to_ndarray().reshape(-1) for part in resampler.resample(frame)]
    return np.concatenate(parts)


def landmarker(model: str, faces: int) -> Any:
    """A face landmarker for one video."""
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=faces,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    return vision.FaceLandmarker.create_from_options(options)


def landmark(landmarker: Any, pictures: list[np.ndarray], step_s: float) -> None:
    """Look for faces in pictures that follow each other."""
    import mediapipe as mp

    for number, picture in enumerate(pictures):
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        landmarker.detect_for_video(image, round(number * step_s * 1000))


def describe_sound(signal: np.ndarray) -> None:
    """What `extractors.audio` has librosa compute."""
    librosa.feature.rms(y=signal, frame_length=WINDOW, hop_length=HOP)
    spectrum = np.abs(librosa.stft(signal, n_fft=WINDOW, hop_length=HOP))
    mel = librosa.feature.melspectrogram(S=spectrum**2, sr=SAMPLE_RATE, n_mels=64)
    librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None), n_mfcc=20)
    librosa.feature.chroma_stft(S=spectrum**2, sr=SAMPLE_RATE, tuning=0.0)
    librosa.feature.zero_crossing_rate(signal, frame_length=WINDOW, hop_length=HOP)
    librosa.feature.spectral_centroid(S=spectrum, sr=SAMPLE_RATE)
    librosa.feature.spectral_rolloff(S=spectrum, sr=SAMPLE_RATE)
    low, high = PITCH_HZ
    librosa.pyin(
        signal, fmin=low, fmax=high, sr=SAMPLE_RATE, frame_length=PITCH_WINDOW, hop_length=HOP
    )


def recognise(whisper: Any, signal: np.ndarray, beam_size: int = 1) -> str:
    """What is said, by faster-whisper."""
    segments, _ = whisper.transcribe(
        signal,
        language="en",
        beam_size=beam_size,
        temperature=0.0,
        condition_on_previous_text=False,
        word_timestamps=True,
        vad_filter=True,
    )
    return " ".join(segment.text.strip() for segment in segments)


def encode(tokenizer: Any, bert: Any, text: str) -> None:
    """Hidden states of a sentence."""
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    with torch.inference_mode():
        bert(input_ids=ids, attention_mask=torch.ones_like(ids))
