"""Envoys to be captured: the real one, and a program with gperftools that answers as Envoy's handler does.

The second one follows `source/server/admin/profiling_handler.cc` and `source/common/profiler/profiler.cc` of Envoy.
"""

#: `ADMIN` is what the admin block has beside its address.
CONFIG = """
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}{ADMIN}}}
static_resources: {{}}
"""

#: PREFIX MODE: the prefix of its profiles; `deaf` drops the first request to stop, `lost` its answer, and `none` has no
#: profiler; `early` has a profile from before.
ALIKE = r"""
#include <arpa/inet.h>
#include <cstring>
#include <cstdio>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>
extern "C" { void HeapProfilerStart(const char*); void HeapProfilerDump(const char*); void HeapProfilerStop();
             int IsHeapProfilerRunning(); }
struct Session { char body[4000]; };
static std::vector<Session*> sessions;
__attribute__((noinline)) void open_session() { sessions.push_back(new Session()); }

static std::string prefix, mode;
static int deaf = 1;

static void answer(const std::string& line, int& status, std::string& text) {
  status = 200;
  if (line.find(" /memory ") != std::string::npos) {
    text = "{\n \"allocated\": \"" + std::to_string(300u << 20) + "\",\n \"heap_size\": \"400000000\"\n}\n";
  } else if (line.find(" /running ") != std::string::npos) {
    text = std::to_string(IsHeapProfilerRunning());
  } else if (line.find("/heapprofiler") == std::string::npos) {
    status = line.find("/heap_dump") != std::string::npos ? 501 : 404;
    text = status == 501 ? "Heap profile is not implemented in current build" : "invalid path. admin commands are:";
  } else if (line.compare(0, 5, "POST ")) {
    status = 405; text = "Method GET not allowed, POST required.";
  } else if (mode == "none") {
    status = 501; text = "The current build does not support heap profiler";
  } else if (line.find("?enable=y ") != std::string::npos) {
    if (IsHeapProfilerRunning()) { status = 400; text = "Fail to start heap profiler: already started"; return; }
    HeapProfilerStart(prefix.c_str());
    for (int i = 0; i < 2000; i++) open_session();
    text = "Starting heap profiler";
  } else if (line.find("?enable=n ") != std::string::npos) {
    if (!IsHeapProfilerRunning()) { status = 400; text = "Fail to stop heap profiler: not started"; return; }
    HeapProfilerDump("stop and dump");
    HeapProfilerStop();
    text = "Heap profiler stopped and data written to " + prefix +
           ". See http://goog-perftools.sourceforge.net/doc/heap_profiler.html for details.";
  } else {
    status = 400; text = "?enable=<y|n>\n";
  }
}

int main(int argc, char** argv) {
  prefix = argv[1]; mode = argv[2];
  if (mode == "early") { HeapProfilerStart(prefix.c_str()); HeapProfilerDump("early"); HeapProfilerStop(); }
  int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{}; at.sin_family = AF_INET; at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  bind(server, (sockaddr*)&at, size); listen(server, 16); getsockname(server, (sockaddr*)&at, &size);
  std::printf("%d\n", ntohs(at.sin_port)); std::fflush(stdout);
  for (;;) {
    int link = accept(server, nullptr, nullptr);
    std::string head; char piece[4096]; ssize_t got;
    while (head.find("\r\n\r\n") == std::string::npos && (got = read(link, piece, sizeof piece)) > 0)
      head.append(piece, got);
    if (mode == "deaf" && head.find("?enable=n ") != std::string::npos && deaf-- > 0) { close(link); continue; }
    int status; std::string text;
    answer(head.substr(0, head.find("\r\n")), status, text);
    if (mode == "lost" && head.find("?enable=n ") != std::string::npos && deaf-- > 0) { close(link); continue; }
    std::string all = "HTTP/1.1 " + std::to_string(status) + " Said\r\ncontent-type: text/plain; charset=UTF-8\r\n"
                      "connection: close\r\ncontent-length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
    if (write(link, all.data(), all.size()) < 0) return 1;
    close(link);
  }
}
"""
