"""Enlarge pictures by super-resolution with convolution and deconvolution layers."""
