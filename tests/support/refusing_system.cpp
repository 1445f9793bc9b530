// Loaded into the program (LD_PRELOAD) in place of a system that refuses: what $SHIM names fails.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace {

bool refuses(const char* call) {
  const char* refused = std::getenv("SHIM");
  return refused != nullptr && std::strcmp(refused, call) == 0;
}

template <typename F>
F* real(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

int fails_with(int error) {
  errno = error;
  return -1;
}

// A folder called "closed", where folders are opened: as where nobody may read it.
bool is_closed(const char* path, int flags) {
  const char* name = std::strrchr(path, '/');
  return refuses("folders") && (flags & O_DIRECTORY) != 0 &&
         std::strcmp(name == nullptr ? path : name + 1, "closed") == 0;
}

using OpenAt = int(int, const char*, int, ...);

}  // namespace

extern "C" {

// libstdc++ opens folders that it walks through by these.
int openat(int folder, const char* path, int flags, ...) {
  if (is_closed(path, flags)) return fails_with(EACCES);
  std::va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return real<OpenAt>("openat")(folder, path, flags, mode);
}

int openat64(int folder, const char* path, int flags, ...) {
  if (is_closed(path, flags)) return fails_with(EACCES);
  std::va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return real<OpenAt>("openat64")(folder, path, flags, mode);
}

// As on file systems that keep nothing on a disk.
int fsync(int fd) {
  if (refuses("fsync")) return fails_with(EINVAL);
  if (refuses("disk")) return fails_with(EIO);
  return real<int(int)>("fsync")(fd);
}

// As on file systems without maps.
void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
  if (fd >= 0 && refuses("mmap")) {
    errno = ENODEV;
    return MAP_FAILED;
  }
  return real<void*(void*, size_t, int, int, int, off_t)>("mmap")(address, length, protection,
                                                                  flags, fd, offset);
}

// As at the limit of processes.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
  if (refuses("threads")) return EAGAIN;
  return real<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create")(
      thread, attributes, start, argument);
}

}  // extern "C"
