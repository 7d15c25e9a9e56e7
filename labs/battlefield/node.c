/*
 * Launcher of a battlefield's nodes: makes network namespaces, boots a node into a root of its own, and runs commands
 * there with next to no rights.
 *
 *   node net DIR [+]NAME...                  make network namespaces and bind them to DIR/NAME; + forwards packets
 *   node up  -n NETNS -b MOUNTPOINT -l LOWERDIR -h HOSTNAME [-s SIZE] [-B SOURCE:TARGET]... [-H HIDDEN]...
 *   node run -p PID -r RIGHTS [-d] [-C FOLDER] -- PROGRAM ARGUMENT...
 *
 * `up` prints the process id of the node's first process, a child of the caller, with which the node ends. `run` waits for the program, and ends all that it left behind; with -d it prints the process id of the
 * program, a child of the caller that writes to standard error, and ends at once.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_BINDS 32
#define SERVICE_ID 61184
#define BIT(cap) (1ULL << (cap))

static void die(const char *format, ...)
{
    int error = errno;
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "node: ");
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, ": %s\n", strerror(error));
    _exit(125);
}

static void mount_or_die(const char *source, const char *target, const char *type, unsigned long flags,
                         const char *options)
{
    if (mount(source, target, type, flags, options) < 0)
        die("mount %s on %s", source, target);
}

/* A bind mount takes its flags only when it is mounted once more. */
static void bind(const char *source, const char *target, unsigned long flags)
{
    mount_or_die(source, target, NULL, MS_BIND, NULL);
    if (flags)
        mount_or_die(NULL, target, NULL, MS_BIND | MS_REMOUNT | flags, NULL);
}

static void folder(const char *path, mode_t mode)
{
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        die("mkdir %s", path);
}

/* Like fork, but the child is the caller's; `flags` may name a new PID namespace for it. */
static pid_t sibling(unsigned long flags)
{
    return (pid_t)syscall(SYS_clone, flags | CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);
}

/* ---- net ---- */

static void put(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        die("write %s", path);
    close(fd);
}

static int make_networks(int argc, char **argv)
{
    char path[512];

    if (argc < 1)
        return 2;
    folder(argv[0], 0755);
    for (int i = 1; i < argc; i++) {
        int fd, gateway = argv[i][0] == '+';

        snprintf(path, sizeof path, "%s/%s", argv[0], argv[i] + gateway);
        if ((fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444)) < 0)
            die("create %s", path);
        close(fd);
        if (unshare(CLONE_NEWNET) < 0)
            die("new network namespace %s", argv[i]);
        mount_or_die("/proc/self/ns/net", path, NULL, MS_BIND, NULL);
        /* services are unprivileged, and these are the namespace's own */
        put("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
        put("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
        /* spoofed packets are the filter's business */
        put("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
        put("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
        put("/proc/sys/net/ipv4/ip_forward", gateway ? "1" : "0");
        /* a case is IPv4 alone */
        if (access("/proc/sys/net/ipv6", F_OK) == 0) {
            put("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
            put("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
        }
    }
    return 0;
}

/* ---- up ---- */

struct node {
    const char *netns, *base, *lower, *name, *size;
    const char *binds[MAX_BINDS], *hidden[MAX_BINDS];
    int bind_count, hidden_count;
};

static void make_devices(void)
{
    static const struct { const char *path; int minor; } nodes[] = {
        {"dev/null", 3}, {"dev/zero", 5}, {"dev/full", 7}, {"dev/random", 8}, {"dev/urandom", 9},
    };

    mount_or_die("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=1m");
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor)) < 0 || chmod(nodes[i].path, 0666) < 0)
            die("mknod %s", nodes[i].path);
    if (mknod("dev/tty", S_IFCHR | 0666, makedev(5, 0)) < 0 || chmod("dev/tty", 0666) < 0)
        die("mknod dev/tty");
    folder("dev/pts", 0755);
    folder("dev/shm", 01777);
    mount_or_die("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
    mount_or_die("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=16m");
    if (symlink("pts/ptmx", "dev/ptmx") < 0 || symlink("/proc/self/fd", "dev/fd") < 0 ||
        symlink("/proc/self/fd/0", "dev/stdin") < 0 || symlink("/proc/self/fd/1", "dev/stdout") < 0 ||
        symlink("/proc/self/fd/2", "dev/stderr") < 0)
        die("links in dev");
}

static void make_proc(void)
{
    static const char *read_only[] = {"proc/bus", "proc/fs", "proc/irq", "proc/acpi", "proc/scsi"};
    static const char *hidden[] = {"proc/sysrq-trigger", "proc/kcore", "proc/kmsg", "proc/keys", "proc/timer_list",
                                   "proc/kallsyms"};

    mount_or_die("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    /* net.* belongs to this node's network namespace, everything else to the machine */
    bind("proc/sys", "proc/sys", 0);
    bind("proc/sys/net", "proc/sys/net", 0);
    mount_or_die(NULL, "proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++)
        if (access(read_only[i], F_OK) == 0)
            bind(read_only[i], read_only[i], MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (access(hidden[i], F_OK) == 0)
            bind("dev/null", hidden[i], 0);
}

/* Makes the target, and the folders that lead to it. */
static void make_target(char *path, const char *source)
{
    struct stat about;

    for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        folder(path, 0755);
        *slash = '/';
    }
    if (stat(source, &about) < 0)
        die("stat %s", source);
    if (S_ISDIR(about.st_mode)) {
        folder(path, 0755);
    } else {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
        if (fd < 0)
            die("create %s", path);
        close(fd);
    }
}

/* SOURCE:/TARGET, read-only unless it ends in :rw. */
static void bind_extra(const char *text)
{
    char copy[2048], *target, *mode;

    snprintf(copy, sizeof copy, "%s", text);
    if ((target = strchr(copy, ':')) == NULL || target[1] != '/')
        die("-B %s", text);
    *target++ = '\0';
    if ((mode = strchr(target, ':')) != NULL)
        *mode++ = '\0';
    make_target(target + 1, copy);
    bind(copy, target + 1, MS_NOSUID | MS_NODEV | (mode != NULL && strcmp(mode, "rw") == 0 ? 0 : MS_RDONLY));
}

static void make_root(const struct node *node)
{
    char options[4096];

    mount_or_die(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    snprintf(options, sizeof options, "mode=0755,size=%s", node->size);
    mount_or_die("tmpfs", node->base, "tmpfs", MS_NOSUID | MS_NODEV, options);
    if (chdir(node->base) < 0)
        die("chdir %s", node->base);
    folder("root", 0755);
    folder("upper", 0755);
    folder("work", 0700);
    folder("usr", 0755);
    folder("usr-work", 0700);
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=upper,workdir=work", node->lower);
    mount_or_die("overlay", "root", "overlay", MS_NOSUID | MS_NODEV, options);
    mount_or_die("overlay", "root/usr", "overlay", MS_NOSUID | MS_NODEV,
                 "lowerdir=/usr,upperdir=usr,workdir=usr-work");
    if (chdir("root") < 0)
        die("chdir root");
    mount_or_die("tmpfs", "usr/local", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m");
    mount_or_die("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=32m");
    mount_or_die("tmpfs", "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m");
    folder("run/sshd", 0755);
    make_devices();
    make_proc();
    for (int i = 0; i < node->bind_count; i++)
        bind_extra(node->binds[i]);
    for (int i = 0; i < node->hidden_count; i++)
        if (access(node->hidden[i], F_OK) == 0)
            mount_or_die("tmpfs", node->hidden[i], "tmpfs", MS_RDONLY, "size=4k");
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        die("pivot_root");
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        die("leave the old root");
}

/* No program that is started from here on, whatever its file capabilities, has more than these. */
static void bound_to(uint64_t kept)
{
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
        if (!(kept & BIT(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
            die("drop capability %d", cap);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        die("no_new_privs");
}

static void keep_only(uint64_t kept)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)kept, .permitted = (uint32_t)kept},
        {.effective = (uint32_t)(kept >> 32), .permitted = (uint32_t)(kept >> 32)},
    };

    if (syscall(SYS_capset, &head, data) < 0)
        die("capset");
}

static void reap_forever(void)
{
    for (;;)
        if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
            pause(); /* a process that is left to us later is reaped by SIGCHLD's disposition */
}

static void init(const struct node *node, int ready)
{
    if (sethostname(node->name, strlen(node->name)) < 0)
        die("sethostname %s", node->name);
    make_root(node);
    signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
    bound_to(0);
    keep_only(0);
    if (write(ready, "1", 1) != 1)
        _exit(125);
    close(ready);
    close(1);
    prctl(PR_SET_NAME, "node", 0, 0, 0);
    reap_forever();
}

static int bring_up(int argc, char **argv)
{
    struct node node = {.size = "64m", .name = "node"};
    int option, fd, pipes[2];
    char byte;
    pid_t pid;

    while ((option = getopt(argc, argv, "n:b:l:h:s:B:H:")) != -1) {
        switch (option) {
        case 'n': node.netns = optarg; break;
        case 'b': node.base = optarg; break;
        case 'l': node.lower = optarg; break;
        case 'h': node.name = optarg; break;
        case 's': node.size = optarg; break;
        case 'B': if (node.bind_count < MAX_BINDS) node.binds[node.bind_count++] = optarg; break;
        case 'H': if (node.hidden_count < MAX_BINDS) node.hidden[node.hidden_count++] = optarg; break;
        default: return 2;
        }
    }
    if (!node.netns || !node.base || !node.lower)
        return 2;
    if ((fd = open(node.netns, O_RDONLY | O_CLOEXEC)) < 0 || setns(fd, CLONE_NEWNET) < 0)
        die("enter %s", node.netns);
    close(fd);
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) < 0)
        die("new namespaces");
    if (pipe2(pipes, O_CLOEXEC) < 0)
        die("pipe");
    if ((pid = sibling(CLONE_NEWPID)) < 0)
        die("first process");
    if (pid == 0) {
        setsid();
        close(pipes[0]);
        init(&node, pipes[1]);
    }
    close(pipes[1]);
    printf("%d\n", pid);
    fflush(stdout);
    return read(pipes[0], &byte, 1) == 1 ? 0 : 125;
}

/* ---- run ---- */

#define RED (BIT(CAP_NET_RAW) | BIT(CAP_NET_ADMIN) | BIT(CAP_NET_BIND_SERVICE))
#define ADMIN                                                                                                          \
    (RED | BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_SETUID) | BIT(CAP_SETGID) |              \
     BIT(CAP_SETPCAP) | BIT(CAP_KILL) | BIT(CAP_SYS_CHROOT))

static void take_rights(const char *rights)
{
    int service = strcmp(rights, "service") == 0;
    uint64_t kept = strcmp(rights, "admin") == 0 ? ADMIN : strcmp(rights, "red") == 0 ? RED : 0;

    if (!service && !kept) {
        errno = EINVAL;
        die("-r %s", rights);
    }
    bound_to(kept);
    if (setgroups(0, NULL) < 0)
        die("setgroups");
    if (service && (setresgid(SERVICE_ID, SERVICE_ID, SERVICE_ID) < 0 ||
                    setresuid(SERVICE_ID, SERVICE_ID, SERVICE_ID) < 0))
        die("become the service user");
    keep_only(kept);
}

static void execute(char **argv, const char *rights, const char *where)
{
    if (chdir(where) < 0)
        die("chdir %s", where);
    take_rights(rights);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    execvp(argv[0], argv);
    fprintf(stderr, "node: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Orphans of what is killed here become this process's children in their turn. */
static void end_children(void)
{
    int status;

    do {
        FILE *list = fopen("/proc/thread-self/children", "re");
        int pid;

        while (list != NULL && fscanf(list, "%d", &pid) == 1)
            kill(pid, SIGKILL);
        if (list != NULL)
            fclose(list);
    } while (waitpid(-1, &status, 0) > 0 || errno == EINTR);
}

/* Runs the program and ends with it all that it left behind; a SIGTERM, also by its parent's death, ends it early. */
static int guard_program(char **argv, const char *rights, const char *where)
{
    int status = 0, code = -1;
    sigset_t signals, before;
    pid_t pid, ended;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &before);
    setsid(); /* a signal to the caller's group must not miss what the program started in another one */
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if ((pid = fork()) < 0)
        die("fork");
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        execute(argv, rights, where);
    }
    bound_to(BIT(CAP_KILL));
    keep_only(BIT(CAP_KILL));
    while (code < 0) {
        if (sigwaitinfo(&signals, NULL) == SIGTERM)
            code = 124;
        while (code < 0 && (ended = waitpid(-1, &status, WNOHANG)) > 0)
            if (ended == pid)
                code = code_of(status);
    }
    end_children();
    return code;
}

static void enter(int process)
{
    int handle = (int)syscall(SYS_pidfd_open, process, 0);

    if (handle < 0 || setns(handle, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0)
        die("enter the node of process %d", process);
    close(handle);
}

static int run_daemon(char **argv, const char *rights, const char *where)
{
    pid_t pid = sibling(0);

    if (pid < 0)
        die("fork");
    if (pid == 0) {
        setsid();
        dup2(2, 1);
        execute(argv, rights, where);
    }
    printf("%d\n", pid);
    return 0;
}

static volatile pid_t guarded;

static void pass_on(int number)
{
    if (guarded > 0)
        kill(guarded, number);
}

static int run_command(char **argv, const char *rights, const char *where)
{
    int status;
    pid_t pid = fork(); /* only a child is in the PID namespace that was entered */

    if (pid < 0)
        die("fork");
    if (pid == 0)
        _exit(guard_program(argv, rights, where));
    guarded = pid;
    signal(SIGTERM, pass_on);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 125;
    return code_of(status);
}

static int run(int argc, char **argv)
{
    const char *rights = "service", *where = "/";
    int option, target = 0, detach = 0;

    while ((option = getopt(argc, argv, "+p:r:dC:")) != -1) {
        switch (option) {
        case 'p': target = atoi(optarg); break;
        case 'r': rights = optarg; break;
        case 'd': detach = 1; break;
        case 'C': where = optarg; break;
        default: return 2;
        }
    }
    if (target < 2 || optind >= argc)
        return 2;
    enter(target);
    return (detach ? run_daemon : run_command)(argv + optind, rights, where);
}

int main(int argc, char **argv)
{
    umask(022);
    if (argc > 1 && strcmp(argv[1], "net") == 0)
        return make_networks(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "up") == 0)
        return bring_up(argc - 1, argv + 1);
    return argc > 1 && strcmp(argv[1], "run") == 0 ? run(argc - 1, argv + 1) : 2;
}
