"""CMU-MOSI and CMU-MOSEI as their authors distribute them."""
