import { api, ok } from '../../api/client'
import { TakeFiles } from './Take'
import { useReportTexts } from './texts'

/** Takes the report on who could see what away. */
export function TakeAccess({ of, close }: { of?: string; close: () => void }) {
  const t = useReportTexts()
  return (
    <TakeFiles
      open={!!of}
      close={close}
      title={t('accessTake')}
      intro={t('accessTakeIntro')}
      said={t('accessProves')}
      name={`${t('accessTitle')} ${of}`}
      take={(wanted) => ok(api.POST('/api/v1/reports/access/exports', { body: { on: of!, formats: wanted }, parseAs: 'blob' }))}
    />
  )
}
