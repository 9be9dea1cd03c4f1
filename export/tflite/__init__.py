"""TFLite files: conversion, packing, and a look at every layer's values."""
