// How much of everything a filter leaves, said beside it.
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { formatShare, formatValue } from '../../format'
import type { Stacks } from '../../stacks'

/** A part of a sentence; null where nothing is known of it. */
export const left = signal<string | null>(null)

/** Says what of the whole is in the stacks that are shown. */
export function useLeft(stacks: Stacks): void {
  useEffect(() => {
    left.value = leftOf(stacks)
    return () => void (left.value = null)
  }, [stacks])
}

/** Of a difference nothing is said: parts of a change may be more than the whole. */
export function leftOf({ total, own, before, unit, signed }: Stacks): string | null {
  if (signed || before || !total) return null
  const there = own.reduce((sum, value) => sum + value, 0)
  return `${formatValue(there, unit)} of ${formatValue(total, unit)} (${formatShare(there / total)})`
}
