"""The lab: emulated devices, battlefields and what runs in them."""
