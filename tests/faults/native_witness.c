/* Looks at what a process asks of the network below Python: look-ups and connections of native libraries.
 *
 * Loaded by LD_PRELOAD. Whatever is not this machine is refused and noted in $WITNESS_FOLDER/connections.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void note(const char *what, const char *where) {
  const char *folder = getenv("WITNESS_FOLDER");
  char text[1024];
  if (folder == NULL) return;
  snprintf(text, sizeof text, "%s/connections", folder);
  int fd = open(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  int length = snprintf(text, sizeof text, "native %s %s\n", what, where);
  if (write(fd, text, (size_t)length) < 0) abort();
  close(fd);
}

static int is_local_name(const char *name) {
  return name == NULL || *name == 0 || !strcmp(name, "localhost") || !strcmp(name, "::1") || !strcmp(name, "::") ||
         !strcmp(name, "0.0.0.0") || !strncmp(name, "127.", 4);
}

static int is_local(const struct sockaddr *address, char *text, socklen_t size) {
  if (address != NULL && address->sa_family == AF_INET) {
    const struct in_addr *at = &((const struct sockaddr_in *)address)->sin_addr;
    inet_ntop(AF_INET, at, text, size);
    return is_local_name(text);
  }
  if (address != NULL && address->sa_family == AF_INET6) {
    const struct in6_addr *at = &((const struct sockaddr_in6 *)address)->sin6_addr;
    inet_ntop(AF_INET6, at, text, size);
    return is_local_name(text) || !strncmp(text, "::ffff:127.", 11);
  }
  return 1;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  if (!is_local_name(name)) {
    note("look-up", name);
    return EAI_FAIL;
  }
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
      dlsym(RTLD_NEXT, "getaddrinfo");
  return real(name, service, hints, found);
}

struct hostent *gethostbyname(const char *name) {
  if (!is_local_name(name)) {
    note("look-up", name);
    h_errno = NO_RECOVERY;
    return NULL;
  }
  struct hostent *(*real)(const char *) = dlsym(RTLD_NEXT, "gethostbyname");
  return real(name);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  char text[INET6_ADDRSTRLEN] = "";
  if (!is_local(address, text, sizeof text)) {
    note("connection", text);
    errno = ENETUNREACH;
    return -1;
  }
  int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
  return real(fd, address, length);
}

ssize_t sendto(int fd, const void *what, size_t size, int flags, const struct sockaddr *address, socklen_t length) {
  char text[INET6_ADDRSTRLEN] = "";
  if (!is_local(address, text, sizeof text)) {
    note("message", text);
    errno = ENETUNREACH;
    return -1;
  }
  ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "sendto");
  return real(fd, what, size, flags, address, length);
}
