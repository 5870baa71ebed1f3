<#
.SYNOPSIS
Tells sessionstamp when a password in Active Directory was changed or reset, or a user disabled.

.DESCRIPTION
Reads the events 4723 (a user changed the password), 4724 (an administrator reset it) and
4725 (the account was disabled) from the Security log of this machine, and sends each of
them, signed as Standard Webhooks says. Events that can't be sent stay for the next run:
the script remembers the last one that was taken.

A domain controller logs only what it has done itself. So install the script on each
domain controller that can be written to.

-Install makes a scheduled task of it, which runs as SYSTEM at each of these events and
once an hour, and copies the script to %ProgramData%\sessionstamp. The secret is stored
there, encrypted for this machine (DPAPI), in a folder that only SYSTEM and administrators
can read.

.PARAMETER Install
Asks for the secret, and installs the scheduled task. Needs -Url. Run it as an administrator.

.PARAMETER Url
The address that "sessionstamp signal add ad" has printed.

.PARAMETER Uninstall
Removes the task, the secret and the folder.

.PARAMETER Test
Sends a heartbeat and says what came of it.

.EXAMPLE
.\Send-PasswordSignal.ps1 -Install -Url https://…/idp/…

.EXAMPLE
.\Send-PasswordSignal.ps1 -Test

.LINK
https://learn.microsoft.com/windows/security/threat-protection/auditing/event-4724

.LINK
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#>
[CmdletBinding(DefaultParameterSetName = 'Send')]
param(
    [Parameter(ParameterSetName = 'Install', Mandatory)][switch]$Install,
    [Parameter(ParameterSetName = 'Install', Mandatory)][string]$Url,
    [Parameter(ParameterSetName = 'Uninstall', Mandatory)][switch]$Uninstall,
    [Parameter(ParameterSetName = 'Test', Mandatory)][switch]$Test
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
Add-Type -AssemblyName System.Security

$TaskName = 'sessionstamp'
$Folder = Join-Path $env:ProgramData 'sessionstamp'
$SettingsFile = Join-Path $Folder 'settings.json'
$PlaceFile = Join-Path $Folder 'last-record.txt'
# Successful ones only: 0x20000000000000 is "audit success".
$Condition = '(EventID=4723 or EventID=4724 or EventID=4725) and band(Keywords,9007199254740992)'

function Protect-Text([string]$Text) {
    $bytes = [Text.Encoding]::UTF8.GetBytes($Text)
    [Convert]::ToBase64String([Security.Cryptography.ProtectedData]::Protect($bytes, $null, 'LocalMachine'))
}

function Unprotect-Text([string]$Text) {
    $bytes = [Security.Cryptography.ProtectedData]::Unprotect([Convert]::FromBase64String($Text), $null, 'LocalMachine')
    [Text.Encoding]::UTF8.GetString($bytes)
}

# The key of a secret: whsec_ and base64 of 24 to 64 bytes.
function ConvertTo-Key([string]$Secret) {
    try { $key = [Convert]::FromBase64String(($Secret.Trim() -replace '^whsec_', '')) } catch { $key = @() }
    if ($key.Length -lt 24 -or $key.Length -gt 64) { throw 'The secret is not whsec_ and base64 of 24 to 64 bytes: copy all of what "sessionstamp signal add ad" has printed.' }
    , [byte[]]$key
}

function Get-Settings {
    if (-not (Test-Path $SettingsFile)) { throw "It is not installed on this machine. Run: $PSCommandPath -Install -Url https://..." }
    $settings = Get-Content -Raw -Path $SettingsFile | ConvertFrom-Json
    @{ Url = $settings.Url; Key = ConvertTo-Key (Unprotect-Text $settings.Secret) }
}

# Sends one body. An id that was sent before names the same event again, which is harmless.
function Send-Body($Settings, [string]$Id, $Body) {
    $json = $Body | ConvertTo-Json -Depth 5 -Compress
    $timestamp = [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()
    $hmac = New-Object Security.Cryptography.HMACSHA256 (, $Settings.Key)
    $signature = [Convert]::ToBase64String($hmac.ComputeHash([Text.Encoding]::UTF8.GetBytes("$Id.$timestamp.$json")))
    $headers = @{ 'webhook-id' = $Id; 'webhook-timestamp' = "$timestamp"; 'webhook-signature' = "v1,$signature" }
    Invoke-WebRequest -UseBasicParsing -Method Post -Uri $Settings.Url -Headers $headers -TimeoutSec 20 `
        -ContentType 'application/json' -Body ([Text.Encoding]::UTF8.GetBytes($json)) | Out-Null
}

function Send-Ping($Settings) {
    $now = [DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'")
    Send-Body $Settings ('ping-' + [Guid]::NewGuid().ToString('N')) @{ type = 'test.ping'; timestamp = $now; data = @{} }
}

# The signal that an event stands for; nothing for a computer's account.
function ConvertTo-Signal($Record) {
    $data = @{}
    foreach ($node in ([xml]$Record.ToXml()).Event.EventData.Data) { $data[$node.Name] = $node.'#text' }
    if ($data['TargetUserName'] -like '*$' -or $data['TargetSid'] -notlike 'S-1-5-21-*') { return }
    $type = @{ 4723 = 'user.password_changed'; 4724 = 'user.password_reset'; 4725 = 'user.disabled' }[[int]$Record.Id]
    $actor = if ($data['SubjectUserSid'] -eq $data['TargetSid']) { 'user' } else { 'admin' }
    @{
        type      = $type
        timestamp = $Record.TimeCreated.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'")
        data      = @{ actor = $actor; subject = @{ format = 'security_identifier'; value = $data['TargetSid'] } }
    }
}

# The same for an event on each machine that reads it. It has no full stop.
function Get-EventId($Record) {
    $sha = [Security.Cryptography.SHA256]::Create()
    $text = '{0}|{1}|{2:o}' -f $Record.MachineName, $Record.RecordId, $Record.TimeCreated.ToUniversalTime()
    'ad-' + [BitConverter]::ToString($sha.ComputeHash([Text.Encoding]::UTF8.GetBytes($text))).Replace('-', '').ToLowerInvariant()
}

# The events behind the place, oldest first. A log that was cleared counts from 1 again.
function Get-Pending([long]$Place) {
    $newest = Get-WinEvent -LogName Security -MaxEvents 1 -ErrorAction SilentlyContinue
    if ($newest -and $newest.RecordId -lt $Place) { $Place = 0 }
    Get-WinEvent -LogName Security -Oldest -FilterXPath "*[System[$Condition and EventRecordID > $Place]]" -ErrorAction SilentlyContinue
}

function Send-Pending {
    $settings = Get-Settings
    $place = [long](Get-Content -Path $PlaceFile -ErrorAction SilentlyContinue | Select-Object -First 1)
    $sent = 0
    foreach ($record in Get-Pending $place) {
        $body = ConvertTo-Signal $record
        # What fails ends the run: the place stays, and the next run begins here.
        if ($body) { Send-Body $settings (Get-EventId $record) $body; $sent++ }
        Set-Content -Path $PlaceFile -Value $record.RecordId
    }
    if ($sent -eq 0) { Send-Ping $settings } # so that silence can be told from quiet
    Write-Output "$sent sent."
}

function Install-Sender {
    if ($Url -notmatch '^https://') { throw 'The address must begin with https://.' }
    $secure = Read-Host -AsSecureString 'Secret that "sessionstamp signal add ad" has printed (whsec_...)'
    $secret = (New-Object Management.Automation.PSCredential 'secret', $secure).GetNetworkCredential().Password
    $settings = @{ Url = $Url; Key = ConvertTo-Key $secret }
    Send-Ping $settings # before anything is installed

    New-Item -ItemType Directory -Force -Path $Folder | Out-Null
    # SYSTEM and the local Administrators, by their well-known SIDs: their names are translated.
    & icacls.exe $Folder /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "The folder $Folder can't be protected. Run this as an administrator." }
    $script = Join-Path $Folder 'Send-PasswordSignal.ps1'
    if ($PSCommandPath -ne $script) { Copy-Item -Force -Path $PSCommandPath -Destination $script }
    @{ Url = $Url; Secret = Protect-Text $secret } | ConvertTo-Json | Set-Content -Path $SettingsFile
    if (-not (Test-Path $PlaceFile)) { # from now on: an old log is nobody's news
        $newest = Get-WinEvent -LogName Security -MaxEvents 1 -ErrorAction SilentlyContinue
        Set-Content -Path $PlaceFile -Value $(if ($newest) { $newest.RecordId } else { 0 })
    }
    Register-Sender $script
    Write-Output 'Installed. The heartbeat was taken; each event is sent when it comes.'
    Write-Output 'See that "Audit User Account Management" logs success: auditpol /get /subcategory:"{0CCE9235-69AE-11D9-BED3-505054503030}"'
}

function Register-Sender([string]$Script) {
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$Script`""
    $class = Get-CimClass -ClassName MSFT_TaskEventTrigger -Namespace Root/Microsoft/Windows/TaskScheduler
    $onEvent = New-CimInstance -CimClass $class -ClientOnly
    $onEvent.Enabled = $true
    $onEvent.Subscription = "<QueryList><Query Id='0' Path='Security'><Select Path='Security'>*[System[$Condition]]</Select></Query></QueryList>"
    $hourly = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval (New-TimeSpan -Hours 1)
    $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -RunLevel Highest
    # Queue: an event that comes while a run is under way starts the next one.
    $settings = New-ScheduledTaskSettingsSet -MultipleInstances Queue -StartWhenAvailable -ExecutionTimeLimit (New-TimeSpan -Minutes 30)
    Register-ScheduledTask -Force -TaskName $TaskName -Action $action -Trigger $onEvent, $hourly -Principal $principal -Settings $settings `
        -Description 'Tells sessionstamp of changed passwords and disabled users.' | Out-Null
}

function Uninstall-Sender {
    Unregister-ScheduledTask -TaskName $TaskName -Confirm:$false -ErrorAction SilentlyContinue
    Remove-Item -Recurse -Force -Path $Folder -ErrorAction SilentlyContinue
    Write-Output 'Removed. Now remove the source: sessionstamp signal remove NAME'
}

try {
    switch ($PSCmdlet.ParameterSetName) {
        'Install' { Install-Sender }
        'Uninstall' { Uninstall-Sender }
        'Test' { Send-Ping (Get-Settings); Write-Output 'The heartbeat was taken.' }
        'Send' { Send-Pending }
    }
}
catch [Net.WebException] {
    $response = $_.Exception.Response
    $status = if ($response) { [int]$response.StatusCode } else { 0 }
    switch ($status) {
        401 { Write-Error -ErrorAction Continue 'Refused (401): the secret is another one, or the clock of this machine is wrong by more than five minutes.' }
        404 { Write-Error -ErrorAction Continue 'Refused (404): there is no such source. "sessionstamp signal list" shows those there are.' }
        default { Write-Error -ErrorAction Continue "Not taken ($status): $($_.Exception.Message) The next run sends it again." }
    }
    exit 1
}
catch {
    Write-Error -ErrorAction Continue $_.Exception.Message
    exit 1
}
