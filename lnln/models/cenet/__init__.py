"""CENET, the Cross-modal Enhancement Network (DOI 10.1109/TMM.2022.3183830)."""
