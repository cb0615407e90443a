"""CMU-MOSI and CMU-MOSEI as their authors ship them."""
