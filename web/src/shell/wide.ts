import { Grid } from 'antd'

/** Whether there is room for a menu beside the screen; phones have none. */
export const useWide = () => Grid.useBreakpoint().lg ?? false
