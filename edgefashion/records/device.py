"""A machine and its states, as they stand in results files, in run.json and in the doctor's report."""

from msgspec import UNSET, UnsetType

from edgefashion.records.values import Amount, Count, Name, Positive, Record


class State(Record, frozen=True, kw_only=True):
    """What changes from minute to minute; null where the machine does not tell. See `device.state`."""

    at_s: Amount | UnsetType = UNSET
    """Seconds since the measurement began, of a look in the middle of it."""
    mhz: float | None = None
    """The fastest core's clock."""
    mhz_from: Name | None = None
    """"vcgencmd" (measured) or "cpufreq" (the kernel's word)."""
    governor: Name | None = None
    """What sets the clock."""
    temperature_c: float | None = None
    temperature_from: Name | None = None
    """"vcgencmd" or the sensor's name."""
    throttled: tuple[str, ...] | None = None
    """What holds a Raspberry Pi back now: "under-voltage", "frequency capped", "throttled" or "soft
    temperature limit".
    """
    throttled_since_boot: tuple[str, ...] | None = None
    """What has done so since it was started."""
    throttle_count: int | None = None
    """Sum of the counters of thermal throttling of an x86 processor."""
    watts: float | None = None
    """Power of a Raspberry Pi 5, see `firmware.watts`."""
    load: float | None = None
    """Processes that want a core, averaged over a minute, ours among them."""
    other_cores: float | None = None
    """Cores that other processes used since the look before; see `device.LoadMeter`, like the next."""
    stolen_cores: float | None = None
    quota_stops: int | None = None
    """How often a CPU quota (of a container, of a service) has made its processes wait."""
    memory_available_mb: int | None = None
    """MiB, like the next."""
    swap_used_mb: int | None = None


class Device(Record, frozen=True, kw_only=True):
    """What stays the same, and the states around a measurement. Null where nothing tells; see
    `device.describe`.
    """

    machine: Name | None = None
    """The processor's architecture."""
    board: Name | None = None
    """A Raspberry Pi's model."""
    cpu: Name | None = None
    """Its name."""
    cores: Positive | None = None
    """Usable by the process that asked."""
    isa: tuple[Name, ...] | None = None
    """Instruction sets that decide how fast a model runs."""
    memory_mb: Count | None = None
    """MiB."""
    os: Name | None = None
    python: Name | None = None
    """Its version."""
    bits: Count | None = None
    """32 or 64, of this Python."""
    emulated: Name | None = None
    """What emulates the processor; null for a real one."""
    virtual: Name | None = None
    """Whose virtual machine this is; null where nothing tells that it is one."""
    date: Name | None = None
    """ISO 8601, UTC."""
    before: State | UnsetType | None = UNSET
    during: tuple[State, ...] | UnsetType | None = UNSET
    after: State | UnsetType | None = UNSET

    @property
    def name(self) -> str | None:
        """The board's, else the processor's, else that of its architecture."""
        return self.board or self.cpu or self.machine

    @property
    def was_throttled(self) -> bool:
        """Whether it was held back before or after the measurement."""
        return any(isinstance(state, State) and state.throttled for state in (self.before, self.after))
