/* A disk that forgets what was not synced: after a power loss only the copies in DURABLE_FOLDER remain.
 *
 * Loaded before the C library (LD_PRELOAD). A file below WATCHED_FOLDER is copied when it is synced; that it was
 * deleted is remembered only when its folder is synced, as file systems are allowed to do.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy(const char *from, const char *to) {
    char part[PATH_MAX + 8], buffer[65536];
    snprintf(part, sizeof part, "%s.part", to);
    int in = open(from, O_RDONLY), out = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0) abort();
    for (ssize_t n; (n = read(in, buffer, sizeof buffer)) > 0;)
        if (write(out, buffer, n) != n) abort();
    close(in);
    close(out);
    if (rename(part, to) != 0) abort();
}

static void forget_deleted(const char *watched, const char *durable) {
    char original[PATH_MAX], kept[PATH_MAX];
    DIR *folder = opendir(durable);
    if (folder == NULL) abort();
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(original, sizeof original, "%s/%s", watched, entry->d_name);
        snprintf(kept, sizeof kept, "%s/%s", durable, entry->d_name);
        if (access(original, F_OK) != 0) unlink(kept);
    }
    closedir(folder);
}

static void note(int fd) {
    const char *watched = getenv("WATCHED_FOLDER"), *durable = getenv("DURABLE_FOLDER");
    char link[64], path[PATH_MAX], kept[PATH_MAX];
    struct stat what;
    if (watched == NULL || durable == NULL || fstat(fd, &what) != 0) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = '\0';
    if (S_ISDIR(what.st_mode)) {
        if (strcmp(path, watched) == 0) forget_deleted(watched, durable);
        return;
    }
    size_t prefix = strlen(watched);
    if (strncmp(path, watched, prefix) != 0 || path[prefix] != '/' || strchr(path + prefix + 1, '/') != NULL) return;
    snprintf(kept, sizeof kept, "%s/%s", durable, path + prefix + 1);
    copy(path, kept);
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    int result = real(fd);
    if (result == 0) note(fd);
    return result;
}

int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    int result = real(fd);
    if (result == 0) note(fd);
    return result;
}
