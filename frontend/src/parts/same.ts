// A component that draws itself anew only when one of its properties is another: for rows, of which most stay.

import { Component } from 'preact'

export abstract class Same<Props extends object> extends Component<Props> {
  override shouldComponentUpdate(next: Readonly<Props>): boolean {
    const [one, other] = [this.props as Record<string, unknown>, next as Record<string, unknown>]
    return Object.keys(other).some((key) => one[key] !== other[key])
  }
}
