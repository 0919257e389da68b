// The hand for images that have Node.js and no Python: the verbs of hand.py, sent as `node -e SOURCE -- VERB JSON`.
// It acts as the user that exec gives it, and sees the processes of its own container: /proc is read as it is there.
// Not here: Unix sockets of other users, groups, and control groups outside the container's own.
"use strict";
const fs = require("fs"), net = require("net"), path = require("path"), crypto = require("crypto"), os = require("os");
const PIECE = 1 << 20, UNLIMITED = 2 ** 60;

class Trouble extends Error {
  constructor(kind, message, hint = "") { super(message); this.kind = kind; this.hint = hint; }
}

const text = (file) => { try { return fs.readFileSync(file, "utf8"); } catch { return ""; } };
const number = (file) => { const said = text(file).trim(); return /^\d+$/.test(said) ? Number(said) : null; };
const link = (file) => { try { return fs.readlinkSync(file); } catch { return ""; } };
const fields = (pid) => Object.fromEntries(text(`/proc/${pid}/status`).split("\n").filter((line) => line.includes(":"))
  .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));

function status(pid) {
  const found = fields(pid);
  if (!found.Uid || found.State.startsWith("Z")) throw new Trouble("unreachable", `There is no process ${pid}, or it has ended.`);
  return found;
}

function ticks(pid) {
  const said = text(`/proc/${pid}/stat`);
  return Number(said.slice(said.lastIndexOf(")") + 2).split(" ")[19]);
}

function alive(pid, started) {
  status(pid);
  if (started !== undefined && ticks(pid) !== started)
    throw new Trouble("unreachable", `Process ${pid} has ended; its number belongs to another one now.`);
}

const words = (said) => said.split("\0").slice(0, -1);

function describe(pid, whole = true) {
  const found = status(pid);
  const boot = Number((/^btime (\d+)/m.exec(text("/proc/stat")) || [0, 0])[1]);
  const mapped = new Set(text(`/proc/${pid}/maps`).split("\n").filter((l) => l.includes("/")).map((l) => l.slice(l.indexOf("/"))));
  const environ = {};
  for (const entry of whole ? words(text(`/proc/${pid}/environ`)) : [])
    if (entry.includes("=")) environ[entry.slice(0, entry.indexOf("="))] = entry.slice(entry.indexOf("=") + 1);
  const sockets = [];
  try {
    for (const name of whole ? fs.readdirSync(`/proc/${pid}/fd`) : []) {
      const to = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${name}`));
      if (to) sockets.push(Number(to[1]));
    }
  } catch { /* another user's */ }
  return {
    pid: Number((found.NSpid || String(pid)).split(/\s+/).pop()), host_pid: pid, parent: Number(found.PPid), name: found.Name,
    uid: Number(found.Uid.split(/\s+/)[1]), gid: Number(found.Gid.split(/\s+/)[1]), started: ticks(pid),
    started_at: boot + ticks(pid) / 100, command: words(text(`/proc/${pid}/cmdline`)), executable: link(`/proc/${pid}/exe`),
    environ, directory: link(`/proc/${pid}/cwd`) || "/", caught: parseInt(found.SigCgt || "0", 16),
    libraries: [...mapped].sort(), threads: Number(found.Threads), sockets: sockets.sort((a, b) => a - b), sections: [],
  };
}

function reading(pid) {
  const found = status(pid), size = (name) => parseInt(found[name] || "0", 10) * 1024;
  return { rss: size("VmRSS"), anonymous: size("RssAnon"), file: size("RssFile"), shared: size("RssShmem"), at: Date.now() / 1000 };
}

function room(pid) {
  const free = /^MemAvailable:\s+(\d+)/m.exec(text("/proc/meminfo"));
  let used = reading(pid).rss, limit = null;
  for (const [at, most, now] of [["/sys/fs/cgroup/", "memory.max", "memory.current"],
    ["/sys/fs/cgroup/memory/", "memory.limit_in_bytes", "memory.usage_in_bytes"]]) {
    const bound = number(at + most), taken = number(at + now);
    if (taken === null) continue;
    const idle = /^(?:total_)?inactive_file (\d+)/m.exec(text(at + "memory.stat").split("\n").reverse().join("\n"));
    used = Math.max(taken - (idle ? Number(idle[1]) : 0), 0);
    limit = bound !== null && bound < UNLIMITED ? bound : null;
  }
  return { used, limit, machine: free ? Number(free[1]) * 1024 : null };
}

const stated = (at, info) => ({ path: at, size: info.size, modified: info.mtimeMs / 1000, mode: info.mode, inode: info.ino });

function checked(at, work) {
  try { return work(); } catch (error) {
    if (error instanceof Trouble) throw error;
    const kind = error.code === "ENOENT" || error.code === "ENOTDIR" ? "missing" : error.code === "EACCES" || error.code === "EPERM" ? "lacks" : "failed";
    throw new Trouble(kind, `${at}: ${error.message}.`);
  }
}

function stat(at) {
  try { return stated(at, fs.statSync(at)); } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw new Trouble("lacks", `${at}: ${error.message}.`);
  }
}

function listing(at) {
  const found = stat(at);
  if (!found || (found.mode & 0o170000) !== 0o040000) return [];
  return checked(at, () => fs.readdirSync(at)).slice(0, 10000).sort().map((name) => {
    const full = `${at.replace(/\/$/, "")}/${name}`;
    try { return stated(full, fs.lstatSync(full)); } catch { return null; }
  }).filter(Boolean);
}

function volume(at) {
  let above = at;
  while (above !== "/" && !stat(above)) above = path.dirname(above);
  let mount = "", kind = "";
  for (const line of text("/proc/self/mounts").split("\n")) {
    const [, where, type] = line.split(" ");
    if (where && (above === where || above.startsWith(where === "/" ? "/" : where + "/")) && where.length >= mount.length) { mount = where; kind = type; }
  }
  let writable = above === at;
  try { fs.accessSync(at, fs.constants.W_OK | fs.constants.X_OK); } catch { writable = false; }
  if (!fs.statfsSync) throw new Trouble("lacks", "This Node.js cannot tell what a volume has left (18.15 and later can).");
  const space = checked(at, () => fs.statfsSync(above));
  return { path: at, kind, free_bytes: space.bavail * space.bsize, is_writable: writable };
}

// Pipes are written piece by piece, synchronously: an exit must not cut what is left.
function say(data) {
  let rest = Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data) + "\n");
  while (rest.length) {
    try { rest = rest.subarray(fs.writeSync(1, rest)); } catch (error) { if (error.code !== "EAGAIN") throw error; }
  }
}

function* pieces(at, offset, end) {
  const file = checked(at, () => fs.openSync(at, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
  const buffer = Buffer.alloc(PIECE);
  while (offset < end) {
    const got = fs.readSync(file, buffer, 0, Math.min(PIECE, end - offset), offset);
    if (!got) throw new Trouble("unreachable", `${at} was cut: it ends at byte ${offset} of ${end}.`);
    offset += got;
    yield buffer.subarray(0, got);
  }
}

function fetch({ path: at, offset = 0, length = null, hashed = false }) {
  const size = checked(at, () => fs.statSync(at)).size;
  if (!size) {
    // What the kernel makes up as it is read, as all of /proc, has no size before.
    const made = checked(at, () => fs.readFileSync(at)).subarray(offset, length === null ? undefined : offset + length);
    say({ ok: made.length });
    return say(made);
  }
  const end = Math.max(length === null ? size : Math.min(offset + length, size), offset);
  say({ ok: end - offset });
  const hash = crypto.createHash("sha256");
  for (const piece of pieces(at, 0, hashed ? offset : 0)) hash.update(piece);
  for (const piece of pieces(at, offset, end)) {
    if (hashed) hash.update(piece);
    say(piece);
  }
  if (hashed) say({ ok: hash.digest("hex") });
}

function digest({ path: at, length }) {
  const hash = crypto.createHash("sha256");
  for (const piece of pieces(at, 0, length)) hash.update(piece);
  return hash.digest("hex");
}

function put({ path: at, mode = 0o600, length }) {
  const part = `${at}.caulk-${crypto.randomBytes(6).toString("hex")}`;
  checked(at, () => {
    const file = fs.openSync(part, "wx", mode), buffer = Buffer.alloc(length);
    try {
      for (let have = 0; have < length;) have += fs.readSync(0, buffer, have, length - have, null);
      fs.writeSync(file, buffer);
      fs.linkSync(part, at);
    } finally { fs.closeSync(file); fs.unlinkSync(part); }
  });
  return null;
}

function signal({ pid, signum }) {
  if (!(BigInt("0x" + status(pid).SigCgt) >> BigInt(signum - 1) & 1n))
    throw new Trouble("failed", `Process ${pid} has no handler for signal ${signum}, which might end it: not sent.`);
  checked(`process ${pid}`, () => process.kill(pid, signum));
  return null;
}

function connect({ address }) {
  const link = Array.isArray(address) ? net.connect(address[1], address[0]) : net.connect(address);
  let open = false;
  link.once("connect", () => { open = true; say({ ok: null }); process.stdin.pipe(link); link.on("data", say); });
  link.once("error", (error) => { if (!open) fail(new Trouble("unreachable", `${address} does not answer: ${error.message}.`)); process.exit(1); });
  link.once("close", () => process.exit(0));
}

function processes() {
  return fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((name) => {
    try { return describe(Number(name), false); } catch { return null; }
  }).filter((found) => found && found.command.length && found.host_pid !== process.pid);
}

const facts = () => ({ node: process.version, uid: process.geteuid(), gid: process.getegid(), machine: os.arch() });

const fail = (error) => say({ error: error.kind || "failed", message: error.message, hint: error.hint || "" });

function main(verb, request = "{}") {
  const asked = JSON.parse(request);
  try {
    if (asked.pid !== undefined) alive(asked.pid, asked.started);
    if (verb === "fetch") return fetch(asked);
    if (verb === "connect") return connect(asked);
    const verbs = {
      facts, processes, digest: () => digest(asked), put: () => put(asked), signal: () => signal(asked),
      process: () => describe(asked.pid), reading: () => reading(asked.pid), room: () => room(asked.pid),
      stat: () => stat(asked.path), listing: () => listing(asked.path), volume: () => volume(asked.path),
      remove: () => { checked(asked.path, () => fs.rmSync(asked.path, { force: true })); return null; },
      move: () => { checked(asked.path, () => { fs.linkSync(asked.path, asked.to); fs.unlinkSync(asked.path); }); return null; },
    };
    say({ ok: verbs[verb]() });
  } catch (error) { fail(error); process.exitCode = 1; }
}

main(...process.argv.slice(1));
