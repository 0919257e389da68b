// A program of Node for recordings: program MODE SECONDS MEGABYTES; says the bytes of its heap each 100 ms.
const [mode, seconds, megabytes] = [process.argv[2], +process.argv[3], +process.argv[4]]
const day = 24, kept = [], cache = new Map(), compiled = []
let job = [], owed = 0, said = 0, sink

const record = (n) => ({ id: n, name: 'user ' + n, tags: Array.from({ length: 20 + Math.floor(Math.random() * 200) }, (_, i) => i * 1.5 + n) })
for (let i = 0; i < 8000; i++) kept.push(record(i))

const begun = performance.now()
const timer = setInterval(() => {
  const t = (performance.now() - begun) / 1000
  if (t >= seconds) return clearInterval(timer)
  const hour = t % day
  const load = (0.55 - 0.4 * Math.cos(2 * Math.PI * hour / day)) * (0.8 + 0.4 * Math.random())
  for (let i = 0; i < load * 60; i++) sink = record(i)
  const atNight = hour > 3 && hour < 7
  const tick = 0.02 / seconds * megabytes * (1 << 20)
  if (mode === 'leak' || mode === 'buffers') owed += tick * load / 0.55
  if (mode === 'night' && atNight) owed += tick * 6
  if (mode === 'cache') {
    for (let i = 0; i < load * 8; i++) {
      const key = Math.floor(Math.random() * megabytes * 500)
      if (!cache.has(key)) cache.set(key, record(key))
    }
  }
  if (mode === 'batch') {
    if (atNight && job.length < megabytes * 500) for (let i = 0; i < 500; i++) job.push(record(i))
    else if (!atNight) job = []
  }
  if (mode === 'jit' && compiled.length < 9000 && Math.random() < 0.8) {
    for (let i = 0; i < 6; i++) {
      const made = new Function('x', `let a = ${compiled.length}; for (let i = 0; i < 300; i++) a = (a * 31 + x + i) % 65521; return a`)
      for (let k = 0; k < 20; k++) sink = made(k)
      compiled.push(made)
    }
  }
  for (; owed > 8192; owed -= 8192) kept.push(mode === 'buffers' ? Buffer.alloc(8192, 1) : new Array(1000).fill(t))
  if (t - said > 0.1) {
    console.log(process.memoryUsage().heapUsed)
    said = t
  }
}, 20)
