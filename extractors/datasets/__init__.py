"""Where clips come from: label.csv, folders of videos, MMSA's and CMU's files."""
