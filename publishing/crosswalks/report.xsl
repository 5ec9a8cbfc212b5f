<?xml version="1.0" encoding="UTF-8"?>
<!-- The Operations Report as one HTML document, for the screen and for paper. $map is an SVG file's text as a node set
     handed over by the caller; $stylesheet the address of the report's style. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:r="urn:leadline:cruise-record:1" exclude-result-prefixes="r">
  <xsl:output method="html" encoding="UTF-8" indent="no"/>
  <xsl:param name="stylesheet"/>
  <xsl:param name="printed"/>
  <xsl:variable name="cruise" select="/r:cruiserecord/r:cruise"/>

  <xsl:template match="/r:cruiserecord">
    <html lang="en">
      <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title><xsl:value-of select="concat('Operations Report ', $cruise/r:id)"/></title>
        <link rel="stylesheet" href="{$stylesheet}"/>
        <link rel="icon" href="data:,"/>
      </head>
      <body>
        <header class="cover">
          <p class="repository"><xsl:value-of select="r:provenance/r:repository"/></p>
          <h1>Operations Report</h1>
          <p class="cruise-id"><xsl:value-of select="$cruise/r:id"/></p>
          <p class="title"><xsl:value-of select="$cruise/r:cname"/></p>
          <p class="ship"><xsl:value-of select="concat($cruise/r:vessel_name, ', ', $cruise/r:operator_name)"/></p>
          <p class="dates"><xsl:value-of select="concat($cruise/r:depart_date, ' to ', $cruise/r:arrive_date)"/></p>
          <p class="issued">
            <xsl:if test="$cruise/r:date_issued"><xsl:value-of select="concat('Record published ', substring($cruise/r:date_issued, 1, 10), '. ')"/></xsl:if>
            <xsl:value-of select="concat('Report made ', $printed, '.')"/>
          </p>
        </header>
        <main>
          <section>
            <h2>Overview map</h2>
            <div id="map"/>
            <xsl:for-each select="r:track">
              <p class="caption"><xsl:value-of select="concat(r:control_points, ' control points of ', r:nav_source, ', ', r:good_fixes, ' good fixes, ', r:first_fix, ' to ', r:last_fix, '. Not to be used for navigation.')"/></p>
            </xsl:for-each>
            <xsl:if test="not(r:track)"><p class="caption">No navigation was delivered from which a track could be made.</p></xsl:if>
          </section>
          <section>
            <h2>Cruise</h2>
            <table class="facts">
              <xsl:call-template name="fact"><xsl:with-param name="name">Cruise id</xsl:with-param><xsl:with-param name="value" select="$cruise/r:id"/></xsl:call-template>
              <xsl:call-template name="fact"><xsl:with-param name="name">DOI</xsl:with-param><xsl:with-param name="value" select="$cruise/r:doi"/></xsl:call-template>
              <xsl:call-template name="fact"><xsl:with-param name="name">Vessel</xsl:with-param><xsl:with-param name="value" select="concat($cruise/r:vessel_name, ' (', $cruise/r:vessel_id, ')')"/></xsl:call-template>
              <xsl:call-template name="fact"><xsl:with-param name="name">Operator</xsl:with-param><xsl:with-param name="value" select="$cruise/r:operator_name"/></xsl:call-template>
              <xsl:call-template name="fact"><xsl:with-param name="name">Departure</xsl:with-param><xsl:with-param name="value" select="concat($cruise/r:depart_date, ', ', $cruise/r:depart_port/r:port_name)"/></xsl:call-template>
              <xsl:call-template name="fact"><xsl:with-param name="name">Arrival</xsl:with-param><xsl:with-param name="value" select="concat($cruise/r:arrive_date, ', ', $cruise/r:arrive_port/r:port_name)"/></xsl:call-template>
              <xsl:for-each select="$cruise/r:extent">
                <xsl:call-template name="fact"><xsl:with-param name="name">Area</xsl:with-param><xsl:with-param name="value" select="concat(format-number(r:southernmost, '0.000'), '° to ', format-number(r:northernmost, '0.000'), '° N, ', format-number(r:westernmost, '0.000'), '° to ', format-number(r:easternmost, '0.000'), '° E')"/></xsl:call-template>
              </xsl:for-each>
              <xsl:for-each select="r:eventlog">
                <xsl:call-template name="fact"><xsl:with-param name="name">Event log</xsl:with-param><xsl:with-param name="value" select="concat(r:events, ' events, ', r:opened, ' to ', r:closed)"/></xsl:call-template>
              </xsl:for-each>
            </table>
            <xsl:if test="$cruise/r:summary"><h3>Science plan</h3><p class="summary"><xsl:value-of select="$cruise/r:summary"/></p></xsl:if>
            <xsl:if test="$cruise/r:targets">
              <h3>Survey targets</h3>
              <ul><xsl:for-each select="$cruise/r:targets/r:target">
                <li><xsl:value-of select="r:name"/><xsl:if test="r:latitude"><xsl:value-of select="concat(' (', r:latitude, '° N, ', r:longitude, '° E)')"/></xsl:if><xsl:if test="r:description"><xsl:value-of select="concat(': ', r:description)"/></xsl:if></li>
              </xsl:for-each></ul>
            </xsl:if>
          </section>
          <section>
            <h2>People and awards</h2>
            <table>
              <thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">Institution</th></tr></thead>
              <tbody><xsl:for-each select="$cruise/r:party/r:person">
                <tr><td><xsl:value-of select="normalize-space(concat(r:given_name, ' ', r:family_name))"/></td><td><xsl:value-of select="r:role_name"/></td><td><xsl:value-of select="r:institution"/></td></tr>
              </xsl:for-each></tbody>
            </table>
            <xsl:if test="$cruise/r:awards">
              <table>
                <thead><tr><th scope="col">Award</th><th scope="col">Funder</th><th scope="col">Title</th></tr></thead>
                <tbody><xsl:for-each select="$cruise/r:awards/r:award">
                  <tr><td><xsl:value-of select="r:number"/></td><td><xsl:value-of select="r:funder"/></td><td><xsl:value-of select="r:title"/></td></tr>
                </xsl:for-each></tbody>
              </table>
            </xsl:if>
          </section>
          <section>
            <h2>Inventory of underway data</h2>
            <xsl:for-each select="r:distribution">
              <p><xsl:value-of select="concat('Shipment ', r:shipment, ', received ', substring(r:received, 1, 10), ': ', r:files, ' files, ', r:bytes, ' bytes.')"/>
                <xsl:for-each select="r:count"><xsl:value-of select="concat(' ', @state, ': ', ., '.')"/></xsl:for-each></p>
            </xsl:for-each>
            <table class="inventory">
              <thead><tr><th scope="col">Class</th><th scope="col">Vendor and model</th><th scope="col">Directory</th><th scope="col">Format</th><th scope="col" class="number">Files</th><th scope="col" class="number">Bytes</th><th scope="col">Status</th></tr></thead>
              <tbody>
                <xsl:for-each select="r:filesets/r:fileset">
                  <xsl:sort select="r:device/r:devicetype_name"/>
                  <tr>
                    <td><xsl:value-of select="r:device/r:devicetype_name"/></td>
                    <td><xsl:value-of select="normalize-space(concat(r:device/r:make, ' ', r:device/r:model))"/></td>
                    <td><xsl:value-of select="r:device/r:location_name"/></td>
                    <td><xsl:value-of select="r:fileformat"/></td>
                    <td class="number"><xsl:value-of select="format-number(r:files, '#,##0')"/></td>
                    <td class="number"><xsl:value-of select="format-number(r:bytes, '#,##0')"/></td>
                    <td><xsl:choose>
                      <xsl:when test="r:hold_until"><xsl:value-of select="concat('held until ', r:hold_until)"/></xsl:when>
                      <xsl:when test="r:archive"><xsl:value-of select="concat(r:archive/r:name, ' ', r:archive/r:accession)"/></xsl:when>
                      <xsl:when test="r:doi"><xsl:value-of select="concat('doi:', r:doi)"/></xsl:when>
                      <xsl:otherwise><xsl:value-of select="r:status"/></xsl:otherwise>
                    </xsl:choose></td>
                  </tr>
                </xsl:for-each>
              </tbody>
            </table>
          </section>
          <xsl:if test="r:review or r:eventlog/r:final_copy">
            <section>
              <h2>Appendix</h2>
              <xsl:for-each select="r:review">
                <p><xsl:value-of select="concat('The record was approved on ', substring(r:approved, 1, 10), ' (round ', r:round, ') by:')"/>
                  <xsl:for-each select="r:signature"><xsl:value-of select="concat(' the ', ., ' (', substring(@at, 1, 10), ')')"/><xsl:if test="position() != last()">,</xsl:if></xsl:for-each>.</p>
              </xsl:for-each>
              <xsl:if test="r:eventlog/r:final_copy">
                <table>
                  <thead><tr><th scope="col">Final copy of the event log</th><th scope="col" class="number">Bytes</th><th scope="col">SHA-256</th></tr></thead>
                  <tbody><xsl:for-each select="r:eventlog/r:final_copy"><tr><td><xsl:value-of select="."/></td><td class="number"><xsl:value-of select="@size"/></td><td class="hash"><xsl:value-of select="@sha256"/></td></tr></xsl:for-each></tbody>
                </table>
              </xsl:if>
            </section>
          </xsl:if>
        </main>
      </body>
    </html>
  </xsl:template>

  <xsl:template name="fact">
    <xsl:param name="name"/>
    <xsl:param name="value"/>
    <xsl:if test="$value != ''"><tr><th scope="row"><xsl:value-of select="$name"/></th><td><xsl:value-of select="$value"/></td></tr></xsl:if>
  </xsl:template>
</xsl:stylesheet>
