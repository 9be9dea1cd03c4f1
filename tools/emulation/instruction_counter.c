/* A plugin of QEMU's user-mode emulation, version 7.2: counts the instructions that a program executes.

   -plugin instruction_counter.so,out=FILE

   At every system call getpgid of the program the number so far is written to FILE, as a line of its own. It
   is exact for a program whose other threads are idle: the count is one for all of them, without a lock.
   The declarations are those of QEMU's qemu-plugin.h, which no package of Debian 12 brings. */

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { API_VERSION = 1, NO_REGISTERS = 0, GETPGID = 155 };

typedef uint64_t plugin_id;
struct block;
typedef void (*on_translation)(plugin_id, struct block *);
typedef void (*on_execution)(unsigned cpu, void *data);
typedef void (*on_system_call)(plugin_id, unsigned cpu, int64_t number, uint64_t, uint64_t, uint64_t,
                               uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translation);
void qemu_plugin_register_vcpu_tb_exec_cb(struct block *, on_execution, int registers, void *data);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_system_call);
size_t qemu_plugin_tb_n_insns(const struct block *);

int qemu_plugin_version = API_VERSION;

static uint64_t executed;
static FILE *out;

static void add(unsigned cpu, void *instructions)
{
    executed += (uintptr_t)instructions;
}

static void watch(plugin_id id, struct block *block)
{
    void *instructions = (void *)qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, add, NO_REGISTERS, instructions);
}

static void write_count(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                        uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    if (number == GETPGID) {
        fprintf(out, "%" PRIu64 "\n", executed);
        fflush(out);
    }
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    const char *name = argc == 1 ? strchr(argv[0], '=') : NULL;
    out = name ? fopen(name + 1, "w") : NULL;
    if (!out)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, watch);
    qemu_plugin_register_vcpu_syscall_cb(id, write_count);
    return 0;
}
