#include "apps/commands/fault.h"

#include <fmt/format.h>

#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "lib/base/io_error.h"

namespace intaglio {
namespace {

constexpr const char* report_it = "Please report this with the command and the model.";

Error out_of_memory() {
  return Error(Code::unsupported, "out of memory",
               "Use fewer `threads`, a lower `max-memory`, smaller inputs or a larger machine.");
}

Error of_system(const std::system_error& e) {
  if (e.code() == std::errc::not_enough_memory) return out_of_memory();
  if (e.code() == std::errc::resource_unavailable_try_again)
    return Error(Code::unsupported, e.what(),
                 "Use fewer `threads`, or raise the limits of processes and memory (ulimit).");
  return Error(Code::io, e.what(), "Check the paths and the file system.");
}

}  // namespace

Error fault_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& e) {
    return e;
  } catch (const std::filesystem::filesystem_error& e) {
    return io_error(e.path1(), "cannot read", e.code().value());
  } catch (const std::system_error& e) {
    return of_system(e);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::length_error& e) {
    return Error(Code::unsupported, fmt::format("larger than any memory: {}", e.what()),
                 "Use smaller inputs or options.");
  } catch (const std::exception& e) {
    return Error(Code::internal, e.what(), report_it);
  } catch (...) {
    return Error(Code::internal, "something unknown was thrown", report_it);
  }
}

}  // namespace intaglio
