"""Where clips come from: label.csv, folders of videos, and the files of CMU and MMSA."""
