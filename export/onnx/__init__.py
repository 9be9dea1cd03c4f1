"""ONNX files: conversion, integers at both ends, and a look at every layer's values."""
