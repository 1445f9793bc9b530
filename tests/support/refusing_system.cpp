// Loaded into the program (LD_PRELOAD) in place of a system that refuses: what $SHIM names fails.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <cerrno>
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

}  // namespace

extern "C" {

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
