// What would fix a finding, a sentence for each pattern: what to look for in the code that is named.
const REMEDIES: Record<string, string> = {
  collection: 'Bound it or evict from it: remove entries when what they stand for ends, or give it a size or an age limit.',
  cache: 'Give the cache a limit (a size, an age), or key it by what repeats: a key that is new each time never hits.',
  listener: 'Unregister the listener where its owner ends: every register needs an unregister on each way out.',
  'thread-local': 'Clear the thread-local at the end of each task (try … finally remove): threads of a pool never die.',
  'class-loader': 'Find what outlives the unloaded module and drops its reference at unload: threads, drivers, thread-locals, registries.',
  goroutine: 'Give every goroutine a way to end: close the channel it waits on, or let it select on a context’s Done.',
  promise: 'Settle every promise or time it out: what waits for one that never settles stays, with all it captured.',
  timer: 'Cancel the timer (clearInterval, cancel, Stop) when its owner ends; what it captured stays as long as it is set.',
  closure: 'Keep less in the closure: copy the few values it needs, and drop the closure itself when it is done with.',
  'weak-references': 'The entries are weak, their targets are gone: clear the dead ones (a reference queue, a purge), or use a weak map.',
  finalizer: 'Close these objects explicitly: finalizers run late and one at a time, and keep all they reach until then.',
  'at-exit': 'Register at-exit hooks once, not for each request; remove them when what they clean up is gone.',
  'detached-dom': 'Drop the references to removed elements: listeners, closures and caches that still point into the old tree.',
  'large-object': 'Ask whether all of it must be there at once: stream it, page it, or release it after use.',
  'string-duplicates': 'Keep one string of each text: intern them, or look values up in a table when they are read.',
  allocation: 'Look for what keeps the objects made here: a collection that only grows, or a release that one way out misses.',
  type: 'Look for who creates these objects and what keeps them: a heap dump of the same program shows the holder.',
}

/** One sentence, or the empty string where no advice is better than that of the finding itself. */
export const remedy = (pattern: string): string => REMEDIES[pattern] ?? ''
