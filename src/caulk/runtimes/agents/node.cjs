// The agent inside a Node.js program: samples its heap and answers `caulk run` over a Unix socket.
//
// Preloaded by `--require` in NODE_OPTIONS; for Node 12.17 and later, and parsed by every older one, which runs on
// unwatched. The main thread is asked from a thread of its own, through the inspector, so that a program which never
// returns to its event loop answers too; a worker of the program is asked from within. Whatever goes wrong stays here.
// The protocol is that of `caulk.run.wire`.
'use strict';

const ROLE = 'caulk agent';
// V8's own default. Measured: some 40 % more time in a loop that only allocates, unnoticed elsewhere.
const INTERVAL_BYTES = 32768;
const STACK_DEPTH = 64;
// A capture at the end must be worth its time: npm's little helpers are not.
const SHORTEST_S = 1;

try {
  begin(require('worker_threads'));
} catch (error) {
  // The program comes first: without the agent it runs as it always did.
}

function begin(threads) {
  const given = threads.workerData;
  if (!threads.isMainThread && given && given.role === ROLE) {
    const session = new (require('inspector').Session)();
    session.connectToMainThread();
    serve(session, given);
    return;
  }
  if (!process.env.CAULK_RUN_SOCKET) return;
  const orders = {
    role: ROLE,
    socket: process.env.CAULK_RUN_SOCKET,
    thread: threads.isMainThread ? 'main' : 'worker-' + threads.threadId,
    final: process.env.CAULK_RUN_WORKSPACE + '/' + process.pid + '-' + threads.threadId + '-' +
      Date.now().toString(16) + '.final',
  };
  if (threads.isMainThread) {
    const agent = new threads.Worker(__filename, { argv: [], execArgv: [], env: {}, workerData: orders });
    agent.on('error', () => {});
    agent.unref();
    const v8 = require('v8');
    chargeTheAllocator(v8);
    if (process.env.CAULK_RUN_NODE_DUMPS && v8.setHeapSnapshotNearHeapLimit) v8.setHeapSnapshotNearHeapLimit(1);
  } else {
    const session = new (require('inspector').Session)();
    session.connect();
    serve(session, orders).unref();
  }
  process.on('exit', () => captureAtExit(orders));
}

// V8 charges what an inlined function allocates to the function that it was inlined into. As code gets optimised a leak
// would move to its callers, and the function that leaks would seem to level off. Accessors of a few bytecodes stay
// inlined: measured, a loop of nothing but tiny methods takes twice its time, and seven times without any inlining.
function chargeTheAllocator(v8) {
  v8.setFlagsFromString('--max-inlined-bytecode-size=30');
  if (parseInt(process.versions.v8, 10) >= 11) v8.setFlagsFromString('--no-maglev-inlining');
}

function serve(session, orders) {
  const socket = require('net').connect(orders.socket);
  const ask = (method, parameters) => new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });
  const say = (line) => socket.write(line + '\n');
  const started = ask('HeapProfiler.startSampling', { samplingInterval: INTERVAL_BYTES, stackDepth: STACK_DEPTH });
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('connect', () => say('hello node ' + process.versions.node + ' ' + orders.thread + ' ' + orders.final));
  socket.on('error', () => {});
  socket.on('close', () => ask('HeapProfiler.stopSampling').catch(() => {}).then(() => session.disconnect()));
  socket.on('data', (data) => {
    const lines = (pending + data).split('\n');
    pending = lines.pop();
    for (const line of lines) {
      const at = line.indexOf(' ') < 0 ? line.length : line.indexOf(' ');
      const verb = line.slice(0, at);
      const argument = line.slice(at + 1);
      if (verb === 'memory') {
        ask('Runtime.getHeapUsage').then((usage) => say('memory heap=' + usage.usedSize)).catch(() => {});
      } else if (verb === 'capture') {
        started.then(() => capture(ask, argument, orders)).then((reply) => say('taken ' + reply))
          .catch((error) => say('failed ' + String(error.message || error).replace(/\n/g, ' ')));
      }
    }
  });
  return socket;
}

function capture(ask, path, orders) {
  const at = Date.now();
  return ask('HeapProfiler.getSamplingProfile').then((answer) => {
    const seconds = (Date.now() - at) / 1000;
    return memory(ask, orders).then((figures) => {
      write(path, answer.profile, at, figures);
      return 'at=' + at / 1000 + ' seconds=' + seconds + ' ' +
        Object.keys(figures).map((name) => name + '=' + figures[name]).join(' ');
    });
  });
}

// Bytes of the asked thread: what its heap holds, and what hangs outside the heap from objects in it.
function memory(ask, orders) {
  if (orders.thread !== 'main') return Promise.resolve(figuresOf(process.memoryUsage()));
  const question = { expression: 'process.memoryUsage()', returnByValue: true, silent: true };
  return ask('Runtime.evaluate', question).then((answer) => figuresOf(answer.result.value || {}));
}

function figuresOf(usage) {
  return {
    heap: usage.heapUsed || 0, external: usage.external || 0, arrayBuffers: usage.arrayBuffers || 0, rss: usage.rss || 0,
  };
}

// A session within the thread answers before `post` returns, which is what 'exit' asks for.
function captureAtExit(orders) {
  try {
    if (process.uptime() < SHORTEST_S || !require('fs').existsSync(orders.socket)) return;
    const session = new (require('inspector').Session)();
    session.connect();
    session.post('HeapProfiler.getSamplingProfile', (error, answer) => {
      if (!error) write(orders.final, answer.profile, Date.now(), figuresOf(process.memoryUsage()));
    });
  } catch (error) {
    // The program ends as it would have.
  }
}

// Whole or not at all, and readable by the owner alone: a profile is named when it is complete.
function write(path, profile, at, figures) {
  const fs = require('fs');
  const text = JSON.stringify({
    head: profile.head,
    samples: profile.samples || [],
    samplingInterval: INTERVAL_BYTES,
    takenAt: new Date(at).toISOString(),
    memory: { rss: figures.rss, heapUsed: figures.heap, external: figures.external, arrayBuffers: figures.arrayBuffers },
  });
  fs.writeFileSync(path + '.part', text, { mode: 0o600, flag: 'wx' });
  fs.renameSync(path + '.part', path);
}
