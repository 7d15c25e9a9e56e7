/*
 * netconfd plug-in of the lab device: asks the applier daemon before a commit and tells it after one.
 *
 * netconfd loads this library for the module secloop-acl-rate-limit. At validate time the tree that is
 * about to become running goes to the daemon, whose refusal becomes an rpc-error and leaves running as it
 * was; when the commit is complete, running goes there to be put into force before the reply is sent.
 * netconfd has no callback for the rollback of a confirmed commit, but it queues a notification, which
 * this library sees first: what was rolled back is out of force before a cancel-commit is answered.
 *
 * Environment: SECLOOP_APPLIER_SOCKET, the daemon's socket. Without an answer within DEADLINE_MS the
 * commit is refused.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <libxml/xmlstring.h>

#include "procdefs.h"
#include "agt.h"
#include "agt_commit_complete.h"
#include "agt_commit_validate.h"
#include "agt_not.h"
#include "agt_not_queue_notification_cb.h"
#include "agt_util.h"
#include "cfg.h"
#include "log.h"
#include "ncxmod.h"
#include "ncxtypes.h"
#include "obj.h"
#include "status.h"
#include "val.h"
#include "xml_wr.h"

#define MODULE ((const xmlChar *)"secloop-acl-rate-limit")
#define SOCKET_VARIABLE "SECLOOP_APPLIER_SOCKET"
#define DEADLINE_MS 3000
#define ANSWER_SIZE 2048

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for the events; 0 when they came, -1 at the deadline. */
static int await(int fd, short events, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = events};
    int ready;

    do {
        int64_t left = deadline - now_ms();
        if (left <= 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        ready = poll(&one, 1, (int)left);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0 ? 0 : -1;
}

static int send_all(int fd, const char *data, size_t size, int64_t deadline)
{
    while (size > 0) {
        ssize_t sent;

        if (await(fd, POLLOUT, deadline) < 0)
            return -1;
        sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR)
                continue;
            return -1;
        }
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

/* Reads up to the end of the stream; what does not fit is cut off. */
static int read_answer(int fd, char *answer, int64_t deadline)
{
    size_t used = 0;

    for (;;) {
        char rest[512];
        int full = used >= ANSWER_SIZE - 1;
        ssize_t got;

        if (await(fd, POLLIN, deadline) < 0)
            return -1;
        got = full ? recv(fd, rest, sizeof rest, 0) : recv(fd, answer + used, ANSWER_SIZE - 1 - used, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        if (!full)
            used += (size_t)got;
    }
    answer[used] = '\0';
    return 0;
}

static int connect_daemon(int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv(SOCKET_VARIABLE);
    int fd;

    if (path == NULL || strlen(path) >= sizeof address.sun_path) {
        errno = EINVAL;
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    while (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        struct timespec pause = {.tv_nsec = 5000000};

        /* EAGAIN: a stopped daemon's queue of connections is full */
        if ((errno != EAGAIN && errno != EINTR) || now_ms() >= deadline) {
            close(fd);
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return fd;
}

/* The answer starts with "OK" or holds the reason for the refusal. */
static int ask(const char *verb, const char *document, size_t size, char *answer)
{
    int64_t deadline = now_ms() + DEADLINE_MS;
    char head[64];
    int length = snprintf(head, sizeof head, "%s %zu\n", verb, size);
    int fd = connect_daemon(deadline);
    int failed;

    if (fd < 0)
        return -1;
    failed = send_all(fd, head, (size_t)length, deadline) < 0 || send_all(fd, document, size, deadline) < 0 ||
             read_answer(fd, answer, deadline) < 0;
    close(fd);
    return failed ? -1 : 0;
}

static char *serialise(val_value_t *root, size_t *size)
{
    char *document = NULL;
    FILE *stream = open_memstream(&document, size);
    status_t res;

    if (stream == NULL)
        return NULL;
    res = xml_wr_check_open_file(stream, root, NULL, FALSE, FALSE, TRUE, 0, 0, agt_check_save);
    fclose(stream);
    if (res != NO_ERR) {
        free(document);
        return NULL;
    }
    return document;
}

/* Hands the tree to the daemon; NO_ERR when it agrees, else `answer` says why not. */
static status_t consult(const char *verb, val_value_t *root, char *answer)
{
    size_t size = 0;
    char *document = serialise(root, &size);
    int failed;

    if (document == NULL) {
        snprintf(answer, ANSWER_SIZE, "the configuration could not be written out for the applier");
        return ERR_NCX_OPERATION_FAILED;
    }
    failed = ask(verb, document, size, answer);
    free(document);
    if (failed < 0) {
        snprintf(answer, ANSWER_SIZE, "the applier did not answer (%s): %s", verb, strerror(errno));
        return ERR_NCX_OPERATION_FAILED;
    }
    return strncmp(answer, "OK", 2) == 0 ? NO_ERR : ERR_NCX_OPERATION_FAILED;
}

static status_t on_validate(ses_cb_t *scb, xml_msg_hdr_t *msghdr, val_value_t *root)
{
    char answer[ANSWER_SIZE];
    status_t res = consult("CHECK", root, answer);

    if (res != NO_ERR) {
        ncx_errinfo_t info;

        memset(&info, 0, sizeof info);
        info.error_message = (xmlChar *)answer;
        info.error_app_tag = (xmlChar *)"not-enforceable";
        log_error("\nsecloop: commit refused: %s", answer);
        agt_record_error_errinfo(scb, msghdr, NCX_LAYER_OPERATION, res, NULL, NCX_NT_NONE, NULL, NCX_NT_NONE,
                                 NULL, &info);
    }
    return res;
}

static status_t apply_running(void)
{
    char answer[ANSWER_SIZE];
    cfg_template_t *running = cfg_get_config_id(NCX_CFGID_RUNNING);
    status_t res;

    if (running == NULL || running->root == NULL)
        return NO_ERR;
    res = consult("APPLY", running->root, answer);
    if (res != NO_ERR)
        log_error("\nsecloop: running is not in force: %s", answer);
    return res;
}

static status_t on_complete(void)
{
    return apply_running();
}

/* A confirmed commit that is rolled back is not completed, but announced, and running is restored by then. */
static status_t on_notification(agt_not_msg_t *notification)
{
    if (notification->notobj != NULL &&
        xmlStrcmp(obj_get_name(notification->notobj), (const xmlChar *)"netconf-confirmed-commit") == 0)
        apply_running();
    return NO_ERR;
}

status_t y_secloop_acl_rate_limit_init(const xmlChar *modname, const xmlChar *revision);
status_t y_secloop_acl_rate_limit_init2(void);
void y_secloop_acl_rate_limit_cleanup(void);

/* A module with a plug-in is loaded by the plug-in. */
status_t y_secloop_acl_rate_limit_init(const xmlChar *modname, const xmlChar *revision)
{
    ncx_module_t *module = NULL;

    return ncxmod_load_module(modname, revision, &agt_get_profile()->agt_savedevQ, &module);
}

status_t y_secloop_acl_rate_limit_init2(void)
{
    status_t res = agt_commit_validate_register(MODULE, on_validate);

    if (res == NO_ERR)
        res = agt_commit_complete_register(MODULE, on_complete);
    if (res == NO_ERR)
        res = agt_not_queue_notification_cb_register(MODULE, on_notification);
    return res;
}

void y_secloop_acl_rate_limit_cleanup(void)
{
    agt_commit_validate_unregister(MODULE);
    agt_commit_complete_unregister(MODULE);
    agt_not_queue_notification_cb_unregister(MODULE);
}
