"""TFR-Net, which reconstructs what is missing in every modality (ACM Multimedia 2021)."""
