"""The Verilog end as a process on a medium: its build, and how it is started."""
